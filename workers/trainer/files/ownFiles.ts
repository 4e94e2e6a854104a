/** @file What the app's own host serves: built-in models and data, each file fetched once, side by side, counted byte by byte, cancelled and gone on with. */
import { FetchError, fetchWhole } from '#src/platform/resumable.ts';
import { DataError } from '#src/tasks/files.ts';
import type { FetchMeter } from './fetchMeter.ts';

interface Listing {
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** Bytes of files.pack, which holds all files one after the other; absent: they lie beside the list. */
  readonly pack?: number;
}

/** A folder as its list describes it. */
export interface OwnFolder {
  readonly files: Listing['files'];
  read(path: string): Promise<Blob>;
}

export class OwnFiles {
  readonly #base: URL;
  readonly #meter: FetchMeter;
  readonly #kept = new Map<string, Promise<unknown>>();
  /** Ends the fetching that is going on. */
  #stopping = new AbortController();

  /** @param base address of the app's folder */
  constructor(base: URL, meter: FetchMeter) {
    this.#base = base;
    this.#meter = meter;
  }

  /** Ends what is on its way, with this reason; what came of it is kept, and the next who asks goes on with it. */
  cancel(reason: Error): void {
    this.#stopping.abort(reason);
    this.#stopping = new AbortController();
  }

  /**
   * @param place of the folder below the app's, with a slash behind it
   * @param unknown what to throw where the host has none
   */
  folder(place: string, unknown: () => DataError): Promise<OwnFolder> {
    return this.#once(place, async () => {
      const folder = new URL(place, this.#base);
      const list = await this.#fetch(
        new URL('files.json', folder),
        'The list of the built-in files',
        0,
        unknown,
      );
      // A host that answers everything with its first page knows no such folder either.
      const listing = (await new Response(list).json().catch(() => Promise.reject(unknown()))) as Listing;
      const sizes = new Map(listing.files.map(({ path, size }) => [path, size]));
      const { pack } = listing;
      if (pack === undefined)
        return {
          files: listing.files,
          read: (path: string) => {
            const address = new URL(path.split('/').map(encodeURIComponent).join('/'), folder);
            return this.#once(address.href, () => this.#fetch(address, path, sizes.get(path) ?? 0));
          },
        };
      const starts = new Map<string, number>();
      let at = 0;
      for (const { path, size } of listing.files) {
        starts.set(path, at);
        at += size;
      }
      const address = new URL('files.pack', folder);
      return {
        files: listing.files,
        read: async (path: string) => {
          const whole = await this.#once(address.href, () => this.#fetch(address, 'The built-in data', pack));
          const start = starts.get(path) ?? 0;
          return whole.slice(start, start + (sizes.get(path) ?? 0));
        },
      };
    });
  }

  #once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#kept.get(key) as Promise<T> | undefined;
    if (known) return known;
    const made = make();
    this.#kept.set(key, made);
    made.catch(() => {
      if (this.#kept.get(key) === made) this.#kept.delete(key);
    });
    return made;
  }

  /** @param size of the file, bytes; 0: not known */
  async #fetch(address: URL, what: string, size: number, unknown?: () => DataError): Promise<Blob> {
    const { signal } = this.#stopping;
    this.#meter.expect(address.href, size);
    let file: Blob;
    try {
      file = await fetchWhole(address.href, {
        signal,
        onBytes: (done, total) => this.#meter.came(address.href, done, Math.max(total, size)),
      });
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof FetchError && cause.status === 404 && unknown) throw unknown();
      throw new DataError(failure(what, cause));
    }
    if (size > 0 && file.size !== size)
      throw new DataError(
        `${what} came with ${file.size} bytes instead of ${size}. Reload the page to fetch it again.`,
      );
    this.#meter.came(address.href, file.size, file.size);
    return file;
  }
}

function failure(what: string, cause: unknown): string {
  if (cause instanceof FetchError && cause.status > 0)
    return `${what} could not be fetched: the server said ${cause.status}. Reload the page.`;
  const offline = 'navigator' in globalThis && !globalThis.navigator.onLine;
  return offline
    ? `${what} could not be fetched: there is no connection. Try again when online; what came already is kept.`
    : `${what} could not be fetched: there is no connection, or it keeps breaking off. Try again; what came already is kept.`;
}
