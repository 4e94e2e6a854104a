/** @file Saved runs as they are read from IndexedDB: listed, found, and opened at their newest checkpoint or an earlier one. */
import * as v from 'valibot';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { checksum } from './checksum.ts';
import { StoreError } from './errors.ts';
import { filledHeader, type RunHeader, type StoredHeader } from './runHeader.ts';
import {
  checkpointKey,
  checkpointSchema,
  keptOf,
  readRecord,
  runKey,
  type RunRecord,
  sizeOf,
} from './runRecords.ts';
import { type Transactions, within } from './transactions.ts';

export interface LoadedCheckpoint<C> {
  readonly header: RunHeader;
  readonly content: C;
  /** The newest checkpoint could not be read; this is the one before it. */
  readonly fellBack: boolean;
}

/** Checks on reading; throw for what is damaged or from an incompatible version. */
export interface Parsers<C> {
  readonly content: (stored: unknown) => C;
  readonly job: (stored: unknown) => Job;
}

/** A checkpoint that can be gone back to. */
export interface SavedStep {
  /** Updates made. */
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
}

/** One record as it is read; the header is there where its job could be read, too. */
interface Listed {
  readonly record: RunRecord;
  readonly header: RunHeader;
}

/** What of a record goes into a run's header. */
type Named = { readonly name?: string | undefined; readonly checkpoints: readonly unknown[] };

/** Where runs lie. */
export const RUNS = 'runs';

export class RunReader<C> {
  protected readonly records: Transactions;
  readonly #parsers: Parsers<C>;

  constructor(records: Transactions, parsers: Parsers<C>) {
    this.records = records;
    this.#parsers = parsers;
  }

  /** Runs that were not removed, newest first. Records that cannot be read are left out. Throws StoreError. */
  async list(): Promise<RunHeader[]> {
    return (await this.all())
      .filter(({ record }) => record.removedAt === undefined)
      .map(({ header }) => header)
      .sort((a, b) => b.savedAt - a.savedAt);
  }

  /** One run, removed or not; null: there is none that can be read. */
  async find(id: string): Promise<(RunHeader & { readonly removedAt: number | null }) | null> {
    const record = readRecord(await this.records.read((store) => store.get(runKey(id))));
    const header = record && this.#header(record.header, record);
    return header && { ...header, removedAt: record.removedAt ?? null };
  }

  /** Ids of all runs, those that were removed or cannot be read too. */
  async ids(): Promise<string[]> {
    const keys = (await this.records.read((store) => store.getAllKeys(within('run/')))) as string[];
    return keys.map((key) => key.slice('run/'.length));
  }

  /** Bytes of all checkpoints, those of removed runs too. */
  async bytes(): Promise<number> {
    return (await this.all()).reduce((n, { record }) => n + sizeOf(record), 0);
  }

  /** The newest readable checkpoint of a run; null: none was saved. Throws StoreError if all of them are damaged. */
  async load(id: string): Promise<LoadedCheckpoint<C> | null> {
    const keys = await this.checkpointsOf(id);
    if (keys.length === 0) return null;
    const record = readRecord(await this.records.read((store) => store.get(runKey(id))));
    for (const [i, key] of keys.reverse().entries()) {
      const found = await this.readable(key, { name: record?.name, checkpoints: keys });
      if (found) return { ...found, fellBack: i > 0 };
    }
    throw new StoreError(
      'damaged',
      'The saved state of this run cannot be read: it is damaged, or another version of Rotune wrote it.',
      'Discard this run and start it again.',
    );
  }

  /** The steps of a run that can be gone back to, the newest first, each once. Throws StoreError. */
  async steps(id: string): Promise<SavedStep[]> {
    const found = new Map<number, SavedStep>();
    for (const { mark } of await this.#marked(id)) if (!found.has(mark.step)) found.set(mark.step, mark);
    return [...found.values()];
  }

  /** The newest readable checkpoint of a run with so many updates; null: there is none. Throws StoreError. */
  async loadAt(id: string, step: number): Promise<Omit<LoadedCheckpoint<C>, 'fellBack'> | null> {
    const record = readRecord(await this.records.read((store) => store.get(runKey(id))));
    if (!record) return null;
    for (const { serial, mark } of await this.#marked(id)) {
      if (mark.step !== step) continue;
      const found = await this.readable(checkpointKey(id, serial), record);
      if (found) return found;
    }
    return null;
  }

  /** A run's checkpoints that say what they are of, the newest first. An older version wrote that into the checkpoints alone. */
  async #marked(id: string): Promise<{ readonly serial: number; readonly mark: SavedStep }[]> {
    const record = readRecord(await this.records.read((store) => store.get(runKey(id))));
    const found: { serial: number; mark: SavedStep }[] = [];
    for (const { serial, mark } of record ? keptOf(record).toReversed() : []) {
      if (mark) found.push({ serial, mark });
      else {
        const stored: unknown = await this.records.read((store) => store.get(checkpointKey(id, serial)));
        const parsed = v.safeParse(checkpointSchema, stored);
        if (!parsed.success) continue;
        const { step, savedAt } = parsed.output.header;
        found.push({ serial, mark: { step, savedAt } });
      }
    }
    return found;
  }

  protected async checkpointsOf(id: string): Promise<string[]> {
    return (await this.records.read((store) => store.getAllKeys(within(`checkpoint/${id}/`)))) as string[];
  }

  protected async readable(
    key: string,
    record: Named,
  ): Promise<{ readonly header: RunHeader; readonly content: C } | null> {
    const parsed = v.safeParse(checkpointSchema, await this.records.read((store) => store.get(key)));
    const header = parsed.success ? this.#header(parsed.output.header, record) : null;
    if (!parsed.success || !header) return null;
    const { sum, content } = parsed.output;
    if (sum !== undefined && sum !== (await checksum(content))) return null;
    try {
      return { header, content: this.#parsers.content(content) };
    } catch {
      // Damaged: the one before it is tried.
      return null;
    }
  }

  protected async all(): Promise<Listed[]> {
    const records: unknown[] = await this.records.read((store) => store.getAll(within('run/')));
    return records.flatMap((stored) => {
      const record = readRecord(stored);
      const header = record && this.#header(record.header, record);
      return header ? [{ record, header }] : [];
    });
  }

  #header(header: StoredHeader, record: Named): RunHeader | null {
    try {
      return headerOf(header, this.#parsers.job(header.job), record);
    } catch {
      return null;
    }
  }
}

/** A run's header as it is shown. */
export const headerOf = (
  header: Omit<StoredHeader, 'job'>,
  job: Job,
  { name, checkpoints }: Named,
): RunHeader => filledHeader(header, job, { name, checkpoints: checkpoints.length });
