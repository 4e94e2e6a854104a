/** @file A depot that forgets with the process, and fails when told to. */
import type { Depot, Download } from '#src/store/downloads.ts';
import { StoreError } from '#src/store/errors.ts';

export interface MemoryDepot extends Depot {
  readonly contents: Map<string, Uint8Array>;
  /** No more bytes than this in all. */
  limit: number;
}

export function memoryDepot(): MemoryDepot {
  const records = new Map<string, Download>();
  const contents = new Map<string, Uint8Array>();
  const open = new Set<string>();
  const depot: MemoryDepot = {
    contents,
    limit: Infinity,
    list: () => Promise.resolve([...records.values()].sort((a, b) => b.savedAt - a.savedAt)),
    find: (url) => Promise.resolve(records.get(url) ?? null),
    save: (download) => Promise.resolve(void records.set(download.url, structuredClone(download))),
    remove(url) {
      const record = records.get(url);
      records.delete(url);
      const wanted = new Set([...records.values()].flatMap(({ files }) => files.map((f) => f.blob)));
      for (const { blob } of record?.files ?? []) if (!wanted.has(blob)) contents.delete(blob);
      return Promise.resolve();
    },
    blob(name) {
      const bytes = contents.get(name);
      return Promise.resolve(bytes ? new Blob([bytes as Uint8Array<ArrayBuffer>]) : null);
    },
    removeBlob: (name) => Promise.resolve(void contents.delete(name)),
    appender(name) {
      if (open.has(name))
        return Promise.reject(
          new StoreError('unavailable', 'Another tab is downloading the same file.', 'Wait.'),
        );
      open.add(name);
      const bytes = (): Uint8Array => contents.get(name) ?? new Uint8Array();
      return Promise.resolve({
        get size() {
          return bytes().byteLength;
        },
        append(more: Uint8Array) {
          const joined = new Uint8Array(bytes().byteLength + more.byteLength);
          if (joined.byteLength > depot.limit)
            throw new StoreError('full', 'There is no room.', 'Free space.');
          joined.set(bytes());
          joined.set(more, bytes().byteLength);
          contents.set(name, joined);
        },
        clear: () => contents.set(name, new Uint8Array()),
        close: () => open.delete(name),
      });
    },
  };
  return depot;
}
