/** @file Data as the model sees them, kept in IndexedDB by what they were made from: all of it can be made again, so it may go at any time. */
import { createStore, promisifyRequest, type UseStore } from 'idb-keyval';
import * as v from 'valibot';
import { storeError } from './errors.ts';

const arraySchema = v.union([
  v.instance(Float32Array),
  v.instance(Int32Array),
  v.instance(BigInt64Array),
  v.instance(Uint8Array),
]);

const itemSchema = v.variant('kind', [
  v.object({
    kind: v.literal('picture'),
    /** The file it was made from. */
    name: v.string(),
    width: v.pipe(v.number(), v.integer(), v.minValue(1)),
    height: v.pipe(v.number(), v.integer(), v.minValue(1)),
    /** Row-major, 0–255. */
    rgb: v.instance(Uint8Array),
  }),
  v.object({
    kind: v.literal('arrays'),
    /** What it was made from, for people. */
    name: v.string(),
    arrays: v.record(v.string(), arraySchema),
  }),
]);

/** A picture at its size, or what a frozen graph (VAE, text encoder) made. */
export type KeptItem = v.InferOutput<typeof itemSchema>;

const recordSchema = v.object({ version: v.literal(1), item: itemSchema });
const setSchema = v.object({
  version: v.literal(1),
  name: v.string(),
  items: v.pipe(v.number(), v.integer(), v.minValue(0)),
  bytes: v.pipe(v.number(), v.minValue(0)),
  usedAt: v.number(),
});

/** What is kept of one data source. */
export interface KeptSet {
  /** What people call the data. */
  readonly name: string;
  readonly items: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
}

/** So many bytes are written in one transaction. */
const BATCH = 2 ** 22;

const setKey = (set: string): string => `set/${encodeURIComponent(set)}`;
const itemKey = (set: string, key: string): string => `item/${encodeURIComponent(set)}/${key}`;
const itemsOf = (set: string): IDBKeyRange => {
  const prefix = `item/${encodeURIComponent(set)}/`;
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
};

const bytesOf = (item: KeptItem): number =>
  item.kind === 'picture'
    ? item.rgb.byteLength
    : Object.values(item.arrays).reduce((n, a) => n + a.byteLength, 0);

export class PreparedStore {
  readonly #use: UseStore;
  readonly #now: () => number;
  /** Still to be written, by set and key. */
  #waiting = new Map<string, Map<string, KeptItem>>();
  #waitingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Why nothing more is written: the storage is full, or there is none. */
  #closed: unknown = null;

  constructor(database = 'rotune-prepared', now: () => number = Date.now) {
    this.#use = createStore(database, 'prepared');
    this.#now = now;
  }

  /** null: it is not kept, or can not be read. Never throws: what is not found is made again. */
  async get(set: string, key: string): Promise<KeptItem | null> {
    const waiting = this.#waiting.get(set)?.get(key);
    if (waiting) return waiting;
    try {
      const record: unknown = await this.#use('readonly', (store) =>
        promisifyRequest(store.get(itemKey(set, key))),
      );
      const parsed = v.safeParse(recordSchema, record);
      return parsed.success ? parsed.output.item : null;
    } catch {
      return null;
    }
  }

  /** Keeps an item, soon. Never throws: once the storage is full or refused, nothing more is kept. */
  async put(set: string, key: string, item: KeptItem): Promise<void> {
    if (this.#closed !== null) return;
    const items = this.#waiting.get(set) ?? new Map<string, KeptItem>();
    this.#waiting.set(set, items);
    if (!items.has(key)) this.#waitingBytes += bytesOf(item);
    items.set(key, item);
    if (this.#waitingBytes >= BATCH) await this.flush();
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    this.#writing = this.#writing.then(async () => {
      for (const [set, items] of waiting) {
        try {
          await this.#write(set, items);
        } catch (error) {
          this.#closed = error;
        }
      }
    });
    await this.#writing;
  }

  /** What is kept, last used first. Throws StoreError. */
  async list(): Promise<KeptSet[]> {
    await this.flush();
    const range = IDBKeyRange.bound('set/', 'set/\uffff');
    try {
      const records: unknown[] = await this.#use('readonly', (store) =>
        promisifyRequest(store.getAll(range)),
      );
      return records
        .flatMap((record) => {
          const parsed = v.safeParse(setSchema, record);
          return parsed.success ? [parsed.output] : [];
        })
        .map(({ name, items, bytes, usedAt }) => ({ name, items, bytes, usedAt }))
        .sort((a, b) => b.usedAt - a.usedAt);
    } catch (error) {
      throw storeError(error);
    }
  }

  /** All items of a set, one after another: they need not fit into memory together. Throws StoreError. */
  async *items(set: string): AsyncGenerator<KeptItem> {
    await this.flush();
    try {
      const keys = await this.#use('readonly', (store) => promisifyRequest(store.getAllKeys(itemsOf(set))));
      for (const key of keys) {
        const record: unknown = await this.#use('readonly', (store) => promisifyRequest(store.get(key)));
        const parsed = v.safeParse(recordSchema, record);
        if (parsed.success) yield parsed.output.item;
      }
    } catch (error) {
      throw storeError(error);
    }
  }

  /** Throws StoreError. */
  async remove(set: string): Promise<void> {
    this.#waiting.delete(set);
    await this.#writing;
    try {
      await this.#use('readwrite', (store) => {
        store.delete(setKey(set));
        store.delete(itemsOf(set));
        return promisifyRequest(store.transaction);
      });
      this.#closed = null;
    } catch (error) {
      throw storeError(error);
    }
  }

  /** In one transaction, so that the set's figures are those of its items. */
  async #write(set: string, items: ReadonlyMap<string, KeptItem>): Promise<void> {
    await this.#use('readwrite', async (store) => {
      const done = promisifyRequest(store.transaction);
      done.catch(() => undefined);
      const before = v.safeParse(setSchema, await promisifyRequest(store.get(setKey(set))));
      let { items: count, bytes } = before.success ? before.output : { items: 0, bytes: 0 };
      for (const [key, item] of items) {
        const there = await promisifyRequest(store.count(itemKey(set, key)));
        store.put({ version: 1, item }, itemKey(set, key));
        if (there === 0) {
          count++;
          bytes += bytesOf(item);
        }
      }
      store.put({ version: 1, name: set, items: count, bytes, usedAt: this.#now() }, setKey(set));
      await done;
    });
  }
}
