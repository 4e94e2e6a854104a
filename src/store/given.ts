/** @file Files that the user gave a run, kept in IndexedDB by their contents: runs on the same data share them. They may go at any time. */
import * as v from 'valibot';
import type { Source } from '#workers/types.ts';
import { contentKey, sizeIn } from './contentKey.ts';
import { room } from './persistence.ts';
import { asked, Transactions, within } from './transactions.ts';

export const PARTS = ['model', 'train', 'heldout', 'adapter'] as const;
export type Part = (typeof PARTS)[number];

type Files = Extract<Source, { readonly kind: 'files' }>;

/** What a run was started from. Built-in sources need no keeping. */
export type Given = Readonly<Partial<Record<Part, Source | null>>>;

/** What is there of it: whole sources, and the names of those that are not. */
export interface Kept {
  readonly sources: Readonly<Partial<Record<Part, Files>>>;
  /** What people call the sources that are not here: they were too large, or are gone. */
  readonly missing: Readonly<Partial<Record<Part, string>>>;
}

/** A run's files take at most so many bytes, and so large a part of the room that is left. */
export const LIMIT = 512 * 2 ** 20;
const SHARE = 1 / 5;
/** So many files are digested and written together, and so many read: more would keep the page from answering. */
const [WRITTEN, READ] = [16, 64];

const sourceSchema = v.object({
  name: v.string(),
  /** null: too large to be kept. */
  files: v.nullable(v.array(v.object({ path: v.string(), key: v.string() }))),
});
/** The record under `run/<id>`, written last. */
const runSchema = v.object({
  version: v.literal(1),
  sources: v.object({
    model: v.optional(sourceSchema),
    train: v.optional(sourceSchema),
    heldout: v.optional(sourceSchema),
    adapter: v.optional(sourceSchema),
  }),
});
type Stored = v.InferOutput<typeof sourceSchema>;

/** The record under `file/<key>`: small files as their bytes, which come back at once; a Blob is a file on the disk, and takes its time. */
const fileSchema = v.union([
  v.object({ version: v.literal(1), blob: v.instance(Blob) }),
  v.object({ version: v.literal(1), bytes: v.instance(ArrayBuffer), type: v.string() }),
]);
type FileRecord = v.InferOutput<typeof fileSchema>;

/** Files above so many bytes are Blobs. */
const SMALL = 2 ** 18;

/** The file's own name and date belong to a run, not to its contents. */
async function fileRecord(blob: Blob): Promise<FileRecord> {
  const { type } = blob;
  return blob.size > SMALL
    ? { version: 1, blob: new Blob([blob], { type }) }
    : { version: 1, bytes: await blob.arrayBuffer(), type };
}

const runKey = (run: string): string => `run/${run}`;
const fileKey = (key: string): string => `file/${key}`;
/** That a run wants a file: what no run wants goes. */
const wishKey = (key: string, run: string): string => `wish/${key}/${run}`;
const partsOfWish = (wish: string): { readonly key: string; readonly run: string } => {
  const [, key = '', ...run] = wish.split('/');
  return { key, run: run.join('/') };
};

const sizeOf = ({ files }: Files): number => files.reduce((n, { blob }) => n + blob.size, 0);

/** Bytes that a run's files may take. */
async function allowance(): Promise<number> {
  const space = await room();
  return space ? Math.min(LIMIT, SHARE * Math.max(0, space.quota - space.used)) : LIMIT;
}

export class GivenStore {
  readonly #records: Transactions;
  readonly #allowance: () => Promise<number>;

  /** @param allowed bytes that a run's files may take */
  constructor(database = 'rotune-given', allowed: () => Promise<number> = allowance) {
    this.#records = new Transactions(database, 'given');
    this.#allowance = allowed;
  }

  /**
   * Keeps what a run was started from, in place of what was kept for it before. What is too large, or finds no room, is kept by name
   * alone. Never throws.
   * @returns what is not kept, by name
   */
  async put(run: string, given: Given): Promise<Kept['missing']> {
    const wanted = PARTS.flatMap((part) => {
      const source = given[part];
      return source?.kind === 'files' ? [{ part, source }] : [];
    });
    const sources: Partial<Record<Part, Stored>> = {};
    for (const { part, source } of wanted) sources[part] = { name: source.name, files: null };
    try {
      await this.remove(run);
      let left = await this.#allowance();
      // Small ones first: so most of them are kept.
      for (const { part, source } of wanted.toSorted((a, b) => sizeOf(a.source) - sizeOf(b.source))) {
        if (sizeOf(source) > left) continue;
        const files = await this.#keep(run, source);
        if (!files) continue;
        sources[part] = { name: source.name, files };
        left -= sizeOf(source);
      }
      if (wanted.length > 0)
        await this.#records.change((store) => {
          store.put({ version: 1, sources }, runKey(run));
        });
    } catch {
      await this.remove(run).catch(() => undefined);
      return Object.fromEntries(wanted.map(({ part, source }) => [part, source.name]));
    }
    return missingOf(sources);
  }

  /** What is kept for a run. Never throws: what cannot be read is not there. */
  async get(run: string): Promise<Kept> {
    try {
      const stored = await this.#sourcesOf(run);
      const sources: Partial<Record<Part, Files>> = {};
      const missing: Partial<Record<Part, string>> = {};
      for (const part of PARTS) {
        const source = stored[part];
        const files = source?.files && (await this.#read(source.files));
        if (files) sources[part] = { kind: 'files', name: source.name, files };
        else if (source) missing[part] = source.name;
      }
      return { sources, missing };
    } catch {
      return { sources: {}, missing: {} };
    }
  }

  /** Ids of all that files are kept for. Throws StoreError. */
  async ids(): Promise<string[]> {
    return (await this.#keys('run/')).map((key) => key.slice('run/'.length));
  }

  /** Forgets what a run was started from; files that no other run wants go. Throws StoreError. */
  async remove(run: string): Promise<void> {
    const keys = Object.values(await this.#sourcesOf(run)).flatMap(({ files }) => files ?? []);
    await this.#forget(run, new Set(keys.map(({ key }) => key)));
  }

  /** Forgets all that belongs to none of these runs, and what a keeping that was cut off has left. Throws StoreError. */
  async tidy(runs: Iterable<string>): Promise<void> {
    const known = new Set(runs);
    const kept = new Set(await this.ids());
    const wishes = (await this.#keys('wish/')).map(partsOfWish);
    const lost = new Map<string, Set<string>>();
    for (const run of kept) if (!known.has(run)) lost.set(run, new Set());
    for (const { key, run } of wishes)
      if (!known.has(run)) lost.set(run, (lost.get(run) ?? new Set()).add(key));
    for (const [run, keys] of lost) await this.#forget(run, keys);
    const wanted = new Set(wishes.filter(({ run }) => known.has(run)).map(({ key }) => key));
    const idle = (await this.#keys('file/')).filter((key) => !wanted.has(key.slice('file/'.length)));
    await this.#records.change(async (store) => {
      for (const file of idle) {
        const key = file.slice('file/'.length);
        if ((await asked(store.count(within(`wish/${key}/`)))) === 0) store.delete(file);
      }
    });
  }

  /** Of all files that are kept. Throws StoreError. */
  async bytes(): Promise<number> {
    return (await this.#keys('file/')).reduce((n, key) => n + sizeIn(key), 0);
  }

  async #keys(prefix: string): Promise<string[]> {
    return (await this.#records.read((store) => store.getAllKeys(within(prefix)))) as string[];
  }

  async #sourcesOf(run: string): Promise<Partial<Record<Part, Stored>>> {
    const parsed = v.safeParse(runSchema, await this.#records.read((store) => store.get(runKey(run))));
    return parsed.success ? parsed.output.sources : {};
  }

  /** Writes the files of a source, each with the wish for it; null: they cannot be read, or find no room. */
  async #keep(run: string, { files }: Files): Promise<Stored['files']> {
    const kept: { path: string; key: string }[] = [];
    try {
      for (const some of batches(files, WRITTEN)) {
        const keys = await Promise.all(some.map(({ blob }) => contentKey(blob)));
        const records = await Promise.all(some.map(({ blob }) => fileRecord(blob)));
        kept.push(...some.map(({ path }, i) => ({ path, key: keys[i]! })));
        await this.#records.change(async (store) => {
          for (const [i, key] of keys.entries()) {
            if ((await asked(store.count(fileKey(key)))) === 0) store.put(records[i], fileKey(key));
            store.put(true, wishKey(key, run));
          }
        });
      }
      return kept;
    } catch {
      await this.#forget(run, new Set(kept.map(({ key }) => key)));
      return null;
    }
  }

  /** null: one of them is damaged or gone. */
  async #read(files: NonNullable<Stored['files']>): Promise<Files['files'] | null> {
    const read: { path: string; blob: Blob }[] = [];
    for (const some of batches(files, READ)) {
      const blobs = await Promise.all(some.map(({ key }) => this.#blob(key)));
      for (const [i, blob] of blobs.entries()) {
        if (!blob) return null;
        read.push({ path: some[i]!.path, blob });
      }
    }
    return read;
  }

  async #blob(key: string): Promise<Blob | null> {
    const stored: unknown = await this.#records.read((store) => store.get(fileKey(key)));
    const parsed = v.safeParse(fileSchema, stored);
    if (!parsed.success) return null;
    const file = parsed.output;
    if ('bytes' in file)
      return file.bytes.byteLength === sizeIn(key) ? new Blob([file.bytes], { type: file.type }) : null;
    const { blob } = file;
    if (blob.size !== sizeIn(key)) return null;
    // The browser may know of a file whose bytes are gone from the disk.
    const end = await blob.slice(-1).arrayBuffer();
    return end.byteLength === Math.min(1, blob.size) ? blob : null;
  }

  async #forget(run: string, keys: ReadonlySet<string>): Promise<void> {
    await this.#records.change(async (store) => {
      store.delete(runKey(run));
      for (const key of keys) {
        store.delete(wishKey(key, run));
        if ((await asked(store.count(within(`wish/${key}/`)))) === 0) store.delete(fileKey(key));
      }
    });
  }
}

function* batches<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}

const missingOf = (sources: Partial<Record<Part, Stored>>): Kept['missing'] =>
  Object.fromEntries(
    PARTS.flatMap((part) => {
      const source = sources[part];
      return source?.files === null ? [[part, source.name]] : [];
    }),
  );
