/** @file Runs and their checkpoints in IndexedDB: each save is one transaction, so a checkpoint is there whole or not at all. */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import * as v from 'valibot';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { StoreError, storeError } from './errors.ts';

/** How many checkpoints of a run are kept: if the newest cannot be read, the one before it is. */
export const KEPT = 2;

/** What is known of a run without reading its checkpoint. */
export interface RunHeader {
  readonly id: string;
  readonly job: Job;
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
  readonly finished: boolean;
  readonly modelName: string;
  readonly dataName: string;
  /** false: the user's own files must be picked again to go on. */
  readonly selfContained: boolean;
  /** Of the newest checkpoint. */
  readonly bytes: number;
}

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

const headerSchema = v.object({
  id: v.string(),
  job: v.unknown(),
  step: v.pipe(v.number(), v.integer(), v.minValue(0)),
  savedAt: v.number(),
  finished: v.boolean(),
  modelName: v.string(),
  dataName: v.string(),
  selfContained: v.boolean(),
  bytes: v.number(),
});

/** The record under `run/<id>`. `checkpoints` are serials, oldest first. */
const runSchema = v.object({
  version: v.literal(1),
  header: headerSchema,
  checkpoints: v.pipe(v.array(v.pipe(v.number(), v.integer())), v.minLength(1)),
});

/** The record under `checkpoint/<id>/<serial>`. */
const checkpointSchema = v.object({ version: v.literal(1), header: headerSchema, content: v.unknown() });

const runKey = (id: string): string => `run/${id}`;
const checkpointKey = (id: string, serial: number): string =>
  `checkpoint/${id}/${String(serial).padStart(10, '0')}`;
/** All keys that begin with `prefix`. */
const within = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

/** Bytes of the typed arrays and strings in structured-cloneable data. */
export function bytesOf(content: unknown): number {
  if (ArrayBuffer.isView(content) || content instanceof ArrayBuffer) return content.byteLength;
  if (typeof content === 'string') return 2 * content.length;
  if (content instanceof Map) return bytesOf([...content]);
  if (Array.isArray(content)) return content.reduce((n: number, item) => n + bytesOf(item), 0);
  if (content !== null && typeof content === 'object') return bytesOf(Object.values(content));
  return 8;
}

export class RunStore<C> {
  readonly #use: UseStore;
  readonly #parsers: Parsers<C>;

  constructor(parsers: Parsers<C>, database = 'rotune') {
    this.#use = createStore(database, 'runs');
    this.#parsers = parsers;
  }

  /**
   * Writes a checkpoint and its run's record and removes all but the last KEPT, in one transaction.
   * Throws StoreError; then everything stored before is still there.
   */
  async save(header: Omit<RunHeader, 'bytes'>, content: C): Promise<RunHeader> {
    const full: RunHeader = { ...header, bytes: bytesOf(content) };
    try {
      await this.#use('readwrite', async (store) => {
        const done = promisifyRequest(store.transaction);
        done.catch(() => undefined);
        try {
          const before: unknown = await promisifyRequest(store.get(runKey(full.id)));
          const known = v.safeParse(runSchema, before);
          const serials = known.success ? known.output.checkpoints : [];
          const serial = (serials.at(-1) ?? 0) + 1;
          const kept = [...serials, serial].slice(-KEPT);
          store.put({ version: 1, header: full, content }, checkpointKey(full.id, serial));
          store.put({ version: 1, header: full, checkpoints: kept }, runKey(full.id));
          const oldest = checkpointKey(full.id, kept[0]!);
          store.delete(IDBKeyRange.bound(checkpointKey(full.id, 0), oldest, false, true));
        } catch (error) {
          // A put that throws (data that cannot be cloned) must not leave the rest to be committed.
          try {
            store.transaction.abort();
          } catch {
            // It was over already.
          }
          throw error;
        }
        await done;
      });
    } catch (error) {
      const others = await this.#bytesOfOthers(full.id);
      throw storeError(error, full.bytes, others);
    }
    return full;
  }

  /** Saved runs, newest first. Records that cannot be read are left out. */
  async list(): Promise<RunHeader[]> {
    const records = await this.#read((store) => store.getAll(within('run/')));
    return (records as unknown[])
      .flatMap((record) => {
        const parsed = v.safeParse(runSchema, record);
        const header = parsed.success ? this.#header(parsed.output.header) : null;
        return header ? [header] : [];
      })
      .sort((a, b) => b.savedAt - a.savedAt);
  }

  /** The newest readable checkpoint of a run; null: none was saved. Throws StoreError if all of them are damaged. */
  async load(id: string): Promise<StoredCheckpoint<C> | null> {
    const keys = (await this.#read((store) => store.getAllKeys(within(`checkpoint/${id}/`)))) as string[];
    if (keys.length === 0) return null;
    for (const [i, key] of keys.reverse().entries()) {
      const record: unknown = await this.#read((store) => store.get(key));
      const parsed = v.safeParse(checkpointSchema, record);
      const header = parsed.success ? this.#header(parsed.output.header) : null;
      if (!parsed.success || !header) continue;
      try {
        return { header, content: this.#parsers.content(parsed.output.content), fellBack: i > 0 };
      } catch {
        // Damaged: the one before it is tried.
      }
    }
    throw new StoreError(
      'damaged',
      'The saved state of this run cannot be read: it is damaged, or another version of Rotune wrote it.',
      'Discard this run and start it again.',
    );
  }

  /** Removes a run with its checkpoints. */
  async remove(id: string): Promise<void> {
    await this.#write((store) => {
      store.delete(runKey(id));
      store.delete(within(`checkpoint/${id}/`));
    });
  }

  /**
   * Cleans up: checkpoints that belong to no run, and finished runs beyond the `keep` newest runs. Unfinished ones stay.
   * Returns the ids of removed runs.
   */
  async tidy(keep = 5): Promise<string[]> {
    const runs = await this.list();
    const removed = runs
      .slice(keep)
      .filter((run) => run.finished)
      .map((run) => run.id);
    await this.#write((store) => {
      for (const id of removed) {
        store.delete(runKey(id));
        store.delete(within(`checkpoint/${id}/`));
      }
      store.getAllKeys().onsuccess = (event) => {
        const keys = (event.target as IDBRequest<IDBValidKey[]>).result.map(String);
        const ids = new Set(keys.filter((k) => k.startsWith('run/')).map((k) => k.slice('run/'.length)));
        for (const key of keys)
          if (key.startsWith('checkpoint/') && !ids.has(key.split('/').slice(1, -1).join('/')))
            store.delete(key);
      };
    });
    return removed;
  }

  #header(header: v.InferOutput<typeof headerSchema>): RunHeader | null {
    try {
      return { ...header, job: this.#parsers.job(header.job) };
    } catch {
      return null;
    }
  }

  async #bytesOfOthers(id: string): Promise<number> {
    const runs = await this.list().catch(() => []);
    return runs.filter((run) => run.id !== id).reduce((n, run) => n + KEPT * run.bytes, 0);
  }

  async #read<T>(request: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    try {
      return await this.#use('readonly', (store) => promisifyRequest(request(store)));
    } catch (error) {
      throw storeError(error);
    }
  }

  async #write(change: (store: IDBObjectStore) => void): Promise<void> {
    try {
      await this.#use('readwrite', (store) => {
        change(store);
        return promisifyRequest(store.transaction);
      });
    } catch (error) {
      throw storeError(error);
    }
  }
}
