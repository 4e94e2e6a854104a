/** @file Runs and their checkpoints in IndexedDB: each change is one transaction, so a checkpoint is there whole or not at all. */
import * as v from 'valibot';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { StoreError, storeError } from './errors.ts';
import { filledHeader, type RunHeader, type StoredHeader, type WrittenHeader } from './runHeader.ts';
import {
  bytesOf,
  checkpointKey,
  checkpointSchema,
  keptOf,
  readRecord,
  runKey,
  runOf,
  type RunRecord,
  sizeOf,
  withKept,
} from './runRecords.ts';
import { spaced } from './spacing.ts';
import { asked, Transactions, within } from './transactions.ts';

export type { RunHeader, WrittenHeader } from './runHeader.ts';
export { bytesOf } from './runRecords.ts';

export interface StoredCheckpoint<C> {
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

/** A run that comes from elsewhere: its checkpoint, if it had one, is staged already. */
export interface Adopted {
  readonly header: WrittenHeader;
  /** The user's own. */
  readonly name: string | undefined;
  /** Of the staged checkpoint; null: it has none. */
  readonly bytes: number | null;
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

export class RunStore<C> {
  readonly #records: Transactions;
  readonly #parsers: Parsers<C>;

  constructor(parsers: Parsers<C>, database = 'rotune') {
    this.#records = new Transactions(database, 'runs');
    this.#parsers = parsers;
  }

  /**
   * Writes a checkpoint and its run's record, and removes those that need not be kept (`spacing.ts`), in one transaction.
   * Throws StoreError; then everything stored before is still there.
   */
  async save(header: WrittenHeader, content: C): Promise<RunHeader> {
    try {
      return await this.#put(header, content);
    } catch (error) {
      // Earlier ones are a luxury: without them there may be room.
      if (!(error instanceof StoreError && error.failure === 'full')) throw error;
      return this.#put(header, content, 0);
    }
  }

  async #put(header: WrittenHeader, content: C, room?: number): Promise<RunHeader> {
    const bytes = bytesOf(content);
    const { id, step, savedAt } = header;
    return this.#records.change(
      async (store) => {
        const before = readRecord(await asked(store.get(runKey(id))));
        const serial = (before?.checkpoints.at(-1) ?? 0) + 1;
        const stored = { ...header, bytes };
        const all = [...(before ? keptOf(before) : []), { serial, bytes, mark: { step, savedAt } }];
        const record = withKept(
          { ...before, version: 1, header: stored, checkpoints: [] },
          spaced(all, room),
        );
        const kept = new Set(record.checkpoints);
        for (const each of all) if (!kept.has(each.serial)) store.delete(checkpointKey(id, each.serial));
        // What a damaged record has forgotten.
        const oldest = checkpointKey(id, record.checkpoints[0]!);
        store.delete(IDBKeyRange.bound(checkpointKey(id, 0), oldest, false, true));
        store.put({ version: 1, header: stored, content }, checkpointKey(id, serial));
        store.put(record, runKey(id));
        return this.#filled(stored, header.job, record);
      },
      (error) => this.#noRoom(error, id, bytes),
    );
  }

  /** Writes what is known of a run beside its checkpoints, which stay as they are. Throws StoreError. */
  async note(header: WrittenHeader): Promise<void> {
    await this.#changed(header.id, (before) => ({
      ...before,
      version: 1,
      header: { ...header, bytes: before?.header.bytes ?? 0 },
      checkpoints: before?.checkpoints ?? [],
    }));
  }

  /** Gives a run the user's own name; an empty one takes it away. Throws StoreError. */
  async rename(id: string, name: string): Promise<void> {
    const own = name.trim();
    await this.#changed(id, (before) => before && { ...before, name: own === '' ? undefined : own });
  }

  /** Takes a run from the list, or with null puts it back: nothing of it is gone until `tidy`. Throws StoreError. */
  async setRemoved(id: string, at: number | null): Promise<void> {
    await this.#changed(id, (before) => before && { ...before, removedAt: at ?? undefined });
  }

  /** Runs that were not removed, newest first. Records that cannot be read are left out. Throws StoreError. */
  async list(): Promise<RunHeader[]> {
    return (await this.#all())
      .filter(({ record }) => record.removedAt === undefined)
      .map(({ header }) => header)
      .sort((a, b) => b.savedAt - a.savedAt);
  }

  /** One run, removed or not; null: there is none that can be read. */
  async find(id: string): Promise<(RunHeader & { readonly removedAt: number | null }) | null> {
    const record = readRecord(await this.#records.read((store) => store.get(runKey(id))));
    const header = record && this.#header(record.header, record);
    return header && { ...header, removedAt: record.removedAt ?? null };
  }

  /** Ids of all runs, those that were removed or cannot be read too. */
  async ids(): Promise<string[]> {
    const keys = (await this.#records.read((store) => store.getAllKeys(within('run/')))) as string[];
    return keys.map((key) => key.slice('run/'.length));
  }

  /** Bytes of all checkpoints, those of removed runs too. */
  async bytes(): Promise<number> {
    return (await this.#all()).reduce((n, { record }) => n + sizeOf(record), 0);
  }

  /** The newest readable checkpoint of a run; null: none was saved. Throws StoreError if all of them are damaged. */
  async load(id: string): Promise<StoredCheckpoint<C> | null> {
    const keys = await this.#checkpointsOf(id);
    if (keys.length === 0) return null;
    const record = readRecord(await this.#records.read((store) => store.get(runKey(id))));
    for (const [i, key] of keys.reverse().entries()) {
      const found = await this.#readable(key, { name: record?.name, checkpoints: keys });
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
  async loadAt(id: string, step: number): Promise<Omit<StoredCheckpoint<C>, 'fellBack'> | null> {
    const record = readRecord(await this.#records.read((store) => store.get(runKey(id))));
    if (!record) return null;
    for (const { serial, mark } of await this.#marked(id)) {
      if (mark.step !== step) continue;
      const found = await this.#readable(checkpointKey(id, serial), record);
      if (found) return found;
    }
    return null;
  }

  /** Removes a run with its checkpoints, for good. */
  async remove(id: string): Promise<void> {
    await this.#records.change((store) => this.#erase(store, id));
  }

  /**
   * Drops all but the newest readable checkpoint of each run, and says how many bytes that freed. Runs of which none can be read keep
   * them all.
   */
  async thin(): Promise<number> {
    let freed = 0;
    for (const { record } of await this.#all()) {
      const { id } = record.header;
      const keys = await this.#checkpointsOf(id);
      if (keys.length < 2) continue;
      let kept: string | null = null;
      for (const key of keys.toReversed()) if (!kept && (await this.#readable(key, record))) kept = key;
      if (kept) freed += await this.#keepOnly(id, kept);
    }
    return freed;
  }

  /**
   * Cleans up: checkpoints that belong to no run, and runs that were removed before that time. All others stay, finished or not.
   * @param before milliseconds since 1970
   * @returns the ids of runs that are gone for good
   */
  async tidy(before = 0): Promise<string[]> {
    const removed = (await this.#all())
      .filter(({ record }) => (record.removedAt ?? Infinity) < before)
      .map(({ record }) => record.header.id);
    await this.#records.change(async (store) => {
      const gone: string[] = [];
      for (const id of removed) {
        // It may have been put back meanwhile.
        const record = readRecord(await asked(store.get(runKey(id))));
        if ((record?.removedAt ?? Infinity) >= before) continue;
        this.#erase(store, id);
        gone.push(id);
      }
      const keys = (await asked(store.getAllKeys())).map(String);
      const ids = new Set(keys.filter((k) => k.startsWith('run/')).map((k) => k.slice('run/'.length)));
      for (const key of keys) {
        const run = runOf(key);
        if (run !== null && !ids.has(run)) store.delete(key);
      }
      removed.splice(0, Infinity, ...gone);
    });
    return removed;
  }

  /** Writes the checkpoint of a run that is not listed until it is adopted. Returns its bytes. Throws StoreError. */
  async stage(header: WrittenHeader, content: C): Promise<number> {
    const bytes = bytesOf(content);
    await this.#records.change(
      (store) => {
        store.put({ version: 1, header: { ...header, bytes }, content }, checkpointKey(header.id, 1));
      },
      (error) => this.#noRoom(error, header.id, bytes),
    );
    return bytes;
  }

  /** Forgets checkpoints that were staged and not adopted. */
  async unstage(ids: readonly string[]): Promise<void> {
    await this.#records.change(async (store) => {
      for (const id of ids)
        if ((await asked(store.count(runKey(id)))) === 0) store.delete(within(`checkpoint/${id}/`));
    });
  }

  /**
   * Lists runs whose checkpoints are staged, and puts removed ones back: all of them or none.
   * @param back ids of removed runs
   * @throws StoreError, also where one of the checkpoints is gone or one of the ids is taken
   */
  async adopt(runs: readonly Adopted[], back: readonly string[] = []): Promise<void> {
    await this.#records.change(async (store) => {
      for (const id of back) {
        const record = readRecord(await asked(store.get(runKey(id))));
        if (record) store.put({ ...record, removedAt: undefined }, runKey(id));
      }
      for (const { header, name, bytes } of runs) {
        const { id } = header;
        const staged = bytes === null || (await asked(store.count(checkpointKey(id, 1)))) > 0;
        const taken = (await asked(store.count(runKey(id)))) > 0;
        if (!staged || taken)
          throw new StoreError(
            'unavailable',
            'Another tab changed the saved runs meanwhile, so that none was added.',
            'Close the other tabs of this page, and import once more.',
          );
        const record: RunRecord = {
          version: 1,
          header: { ...header, bytes: bytes ?? 0 },
          checkpoints: bytes === null ? [] : [1],
          sizes: bytes === null ? [] : [bytes],
          marks: bytes === null ? [] : [{ step: header.step, savedAt: header.savedAt }],
          name,
        };
        store.put(record, runKey(id));
      }
    });
  }

  #erase(store: IDBObjectStore, id: string): void {
    store.delete(runKey(id));
    store.delete(within(`checkpoint/${id}/`));
  }

  async #keepOnly(id: string, key: string): Promise<number> {
    const serial = Number(key.split('/').at(-1));
    let freed = 0;
    await this.#changed(id, (before, store) => {
      const all = before ? keptOf(before) : [];
      const one = all.find((each) => each.serial === serial);
      // A newer one has come since.
      if (!before || !one) return null;
      freed = sizeOf(before) - one.bytes;
      for (const other of before.checkpoints) if (other !== serial) store.delete(checkpointKey(id, other));
      return withKept(before, [one]);
    });
    return freed;
  }

  /** A run's checkpoints that say what they are of, the newest first. An older version wrote that into the checkpoints alone. */
  async #marked(id: string): Promise<{ readonly serial: number; readonly mark: SavedStep }[]> {
    const record = readRecord(await this.#records.read((store) => store.get(runKey(id))));
    const found: { serial: number; mark: SavedStep }[] = [];
    for (const { serial, mark } of record ? keptOf(record).toReversed() : []) {
      if (mark) found.push({ serial, mark });
      else {
        const stored: unknown = await this.#records.read((store) => store.get(checkpointKey(id, serial)));
        const parsed = v.safeParse(checkpointSchema, stored);
        if (!parsed.success) continue;
        const { step, savedAt } = parsed.output.header;
        found.push({ serial, mark: { step, savedAt } });
      }
    }
    return found;
  }

  async #checkpointsOf(id: string): Promise<string[]> {
    return (await this.#records.read((store) => store.getAllKeys(within(`checkpoint/${id}/`)))) as string[];
  }

  async #readable(
    key: string,
    record: { readonly name?: string | undefined; readonly checkpoints: readonly unknown[] },
  ): Promise<{ readonly header: RunHeader; readonly content: C } | null> {
    const parsed = v.safeParse(checkpointSchema, await this.#records.read((store) => store.get(key)));
    const header = parsed.success ? this.#header(parsed.output.header, record) : null;
    if (!parsed.success || !header) return null;
    try {
      return { header, content: this.#parsers.content(parsed.output.content) };
    } catch {
      // Damaged: the one before it is tried.
      return null;
    }
  }

  async #all(): Promise<Listed[]> {
    const records: unknown[] = await this.#records.read((store) => store.getAll(within('run/')));
    return records.flatMap((stored) => {
      const record = readRecord(stored);
      const header = record && this.#header(record.header, record);
      return header ? [{ record, header }] : [];
    });
  }

  #header(
    header: StoredHeader,
    record: { readonly name?: string | undefined; readonly checkpoints: readonly unknown[] },
  ): RunHeader | null {
    try {
      return this.#filled(header, this.#parsers.job(header.job), record);
    } catch {
      return null;
    }
  }

  #filled(
    header: Omit<StoredHeader, 'job'>,
    job: Job,
    { name, checkpoints }: { readonly name?: string | undefined; readonly checkpoints: readonly unknown[] },
  ): RunHeader {
    return filledHeader(header, job, { name, checkpoints: checkpoints.length });
  }

  /** Why so many bytes of a run were not written, and what could be freed for them. */
  async #noRoom(error: unknown, id: string, bytes: number): Promise<StoreError> {
    const runs = await this.#all().catch(() => []);
    const others = runs.reduce((n, { record }) => n + (record.header.id === id ? 0 : sizeOf(record)), 0);
    return storeError(error, bytes, others);
  }

  /** Changes a run's record in one transaction; null leaves it as it is. Throws StoreError. */
  #changed(
    id: string,
    change: (before: RunRecord | null, store: IDBObjectStore) => RunRecord | null,
  ): Promise<void> {
    return this.#records.change(async (store) => {
      const after = change(readRecord(await asked(store.get(runKey(id)))), store);
      if (after) store.put(after, runKey(id));
    });
  }
}
