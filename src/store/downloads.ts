/** @file Downloaded models in the browser's private file system: a record per address, and the bytes beside, which grow as they come. */
import * as v from 'valibot';
import { sha256 } from '#src/platform/sha256.ts';
import { StoreError, storeError } from './errors.ts';

/** One file of a download, as far as it is known. */
const fileSchema = v.object({
  /** In the set of files. */
  path: v.string(),
  url: v.string(),
  /** null: the server does not say. */
  bytes: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** What the server named this version of the file: a rest fetched later must have the same. */
  etag: v.nullable(v.string()),
  modified: v.nullable(v.string()),
  /** Of the whole file, hexadecimal; null: it has not come whole. */
  sha256: v.nullable(v.string()),
  /** Where its bytes lie in the depot; equal files share them. */
  blob: v.pipe(v.string(), v.regex(/^[0-9a-f]{16,64}$/)),
});

const downloadSchema = v.object({
  version: v.literal(1),
  /** As typed, made absolute. */
  url: v.string(),
  name: v.string(),
  /** Milliseconds since 1970. */
  savedAt: v.number(),
  files: v.array(fileSchema),
});

export type StoredFile = v.InferOutput<typeof fileSchema>;
export type Download = v.InferOutput<typeof downloadSchema>;

/** Writes at the end of one file; no one else can, until it is closed. */
export interface Appender {
  /** Bytes so far. */
  readonly size: number;
  /** Throws StoreError when there is no room. */
  append(bytes: Uint8Array): void;
  /** Begins anew. */
  clear(): void;
  close(): void;
}

export interface Depot {
  /** Newest first; records that cannot be read are left out. */
  list(): Promise<readonly Download[]>;
  find(url: string): Promise<Download | null>;
  save(download: Download): Promise<void>;
  /** Forgets the record, and the bytes that no other record names. */
  remove(url: string): Promise<void>;
  /** Bytes that have come, whole or not; null: none. */
  blob(name: string): Promise<Blob | null>;
  removeBlob(name: string): Promise<void>;
  /** Throws StoreError while another tab writes the same file. */
  appender(name: string): Promise<Appender>;
}

/** What TypeScript's DOM library leaves to the worker's: writes go to the disk at once. Offered in workers only. */
interface SyncHandle {
  getSize(): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type Writable = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncHandle> };
type Listed = FileSystemDirectoryHandle & { keys(): AsyncIterable<string> };

const gone = (error: unknown): boolean => error instanceof DOMException && error.name === 'NotFoundError';

/** Runs a request of the file system; its failures become StoreErrors. */
async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeError(error);
  }
}

/** A record's file name: addresses hold characters that file names cannot. */
async function recordName(url: string): Promise<string> {
  return `${await sha256(new TextEncoder().encode(url))}.json`;
}

/** The origin's private file system. Throws StoreError where there is none: over plain http, in some private windows. */
async function privateRoot(): Promise<FileSystemDirectoryHandle> {
  const { storage } = navigator as Partial<Navigator>;
  try {
    // Pages over plain http have no storage at all.
    if (!(storage as Partial<StorageManager> | undefined)?.getDirectory) throw new Error('There is none.');
    return await storage!.getDirectory();
  } catch (cause) {
    throw new StoreError(
      'unavailable',
      'This browser keeps no downloads for this page: it is open over plain http, or in a private window.',
      'Download the file yourself, then pick it here. Or open the page by https in a normal window.',
      { cause },
    );
  }
}

/** The depot in the origin's private file system, under downloads/. For workers. */
export function privateDepot(): Depot {
  const folder = async (name: string): Promise<Listed> => {
    const root = await privateRoot();
    const downloads = await root.getDirectoryHandle('downloads', { create: true });
    return await downloads.getDirectoryHandle(name, { create: true });
  };
  const records = () => folder('records');
  const blobs = () => folder('files');

  const blob = async (name: string): Promise<Blob | null> => {
    try {
      return await (await (await blobs()).getFileHandle(name)).getFile();
    } catch (error) {
      if (gone(error)) return null;
      throw error;
    }
  };
  const readRecord = async (name: string): Promise<Download | null> => {
    try {
      const file = await (await (await records()).getFileHandle(name)).getFile();
      const parsed = v.safeParse(downloadSchema, JSON.parse(await file.text()));
      return parsed.success ? parsed.output : null;
    } catch (error) {
      if (gone(error) || error instanceof SyntaxError) return null;
      throw error;
    }
  };
  const removeFrom = async (from: Promise<FileSystemDirectoryHandle>, name: string): Promise<void> => {
    try {
      await (await from).removeEntry(name);
    } catch (error) {
      if (!gone(error)) throw error;
    }
  };
  const list = async (): Promise<Download[]> => {
    const found: Download[] = [];
    for await (const name of (await records()).keys()) {
      const record = await readRecord(name);
      if (record) found.push(record);
    }
    return found.sort((a, b) => b.savedAt - a.savedAt);
  };
  const writing = async (
    directory: Promise<FileSystemDirectoryHandle>,
    name: string,
  ): Promise<SyncHandle> => {
    const handle = (await (await directory).getFileHandle(name, { create: true })) as Writable;
    try {
      return await handle.createSyncAccessHandle();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NoModificationAllowedError') throw error;
      throw new StoreError(
        'unavailable',
        'Another tab is downloading the same file.',
        'Wait until it is done there, or cancel it there.',
        { cause: error },
      );
    }
  };

  return {
    list: () => stored(list),
    find: (url) => stored(async () => readRecord(await recordName(url))),
    save: (download) =>
      stored(async () => {
        const file = await writing(records(), await recordName(download.url));
        try {
          const bytes = new TextEncoder().encode(JSON.stringify(download));
          file.truncate(0);
          file.write(bytes, { at: 0 });
          file.flush();
        } finally {
          file.close();
        }
      }),
    remove: (url) =>
      stored(async () => {
        const name = await recordName(url);
        const record = await readRecord(name);
        await removeFrom(records(), name);
        const wanted = new Set((await list()).flatMap(({ files }) => files.map((f) => f.blob)));
        for (const file of record?.files ?? [])
          if (!wanted.has(file.blob)) await removeFrom(blobs(), file.blob);
      }),
    blob: (name) => stored(() => blob(name)),
    removeBlob: (name) => stored(() => removeFrom(blobs(), name)),
    appender: (name) =>
      stored(async () => {
        const file = await writing(blobs(), name);
        let size = file.getSize();
        return {
          get size() {
            return size;
          },
          append(bytes) {
            try {
              for (let at = 0; at < bytes.byteLength;) {
                const written = file.write(bytes.subarray(at), { at: size });
                if (written === 0) throw new DOMException('Nothing was written.', 'QuotaExceededError');
                at += written;
                size += written;
              }
            } catch (error) {
              throw storeError(error, bytes.byteLength);
            }
          },
          clear() {
            file.truncate(0);
            size = 0;
          },
          close() {
            file.flush();
            file.close();
          },
        };
      }),
  };
}
