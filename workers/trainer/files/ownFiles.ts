/** @file What the app's own host serves: built-in models and data, each file fetched once, side by side, counted byte by byte, cancelled and gone on with. */
import { Kept } from '#src/platform/kept.ts';
import { fetchFailure, fetchOwn, type OwnFileList } from '#src/platform/ownFile.ts';
import { FetchError } from '#src/platform/resumable.ts';
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
  readonly #known: OwnFileList;
  readonly #folders = new Kept<string, OwnFolder>();
  readonly #blobs = new Kept<string, Blob>();
  /** The last file that did not come, though it was waited for. */
  #failure: DataError | null = null;
  /** Work goes on that comes to nothing once a file did not come. */
  #inVain = false;
  /** Ends the fetching that is going on. */
  #stopping = new AbortController();

  /**
   * @param base address of the app's folder
   * @param known what the build knows of the files below it
   */
  constructor(base: URL, meter: FetchMeter, known: OwnFileList = {}) {
    this.#base = base;
    this.#known = known;
    this.#meter = meter;
  }

  /** Ends what is on its way, with this reason; what came of it is kept, and the next who asks goes on with it. */
  cancel(reason: Error): void {
    this.#stopping.abort(reason);
    this.#stopping = new AbortController();
  }

  /**
   * Does work that may take a file that does not come for one that is damaged. Throws DataError then: what comes of the work says nothing of the file, and is
   * not to be kept. Nor is anything fetched for it any more: a pack that does not come would be asked for by each of its hundred files.
   */
  async whole<T>(work: () => Promise<T>): Promise<T> {
    this.#failure = null;
    this.#inVain = true;
    try {
      const result = await work();
      // Set while the work was waited for.
      const failure = this.#failure as DataError | null;
      if (failure) throw failure;
      return result;
    } finally {
      this.#inVain = false;
    }
  }

  /**
   * @param place of the folder below the app's, with a slash behind it
   * @param unknown what to throw where the host has none
   */
  folder(place: string, unknown: () => DataError): Promise<OwnFolder> {
    return this.#folders.get(place, async () => {
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
            return this.#blobs.get(address.href, () => this.#fetch(address, path, sizes.get(path) ?? 0));
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
          const whole = await this.#blobs.get(address.href, () =>
            this.#fetch(address, 'The built-in data', pack),
          );
          const start = starts.get(path) ?? 0;
          return whole.slice(start, start + (sizes.get(path) ?? 0));
        },
      };
    });
  }

  /** @param size of the file, bytes; 0: not known */
  async #fetch(address: URL, what: string, size: number, unknown?: () => DataError): Promise<Blob> {
    const failed = this.#inVain ? this.#failure : null;
    if (failed) throw failed;
    const { signal } = this.#stopping;
    this.#meter.expect(address.href, size);
    const path = decodeURIComponent(address.href.slice(this.#base.href.length));
    const known = this.#known[path] ?? null;
    let file: Blob;
    try {
      file = await fetchOwn(address.href, known, {
        signal,
        onDamaged: () => this.#meter.damaged(path),
        onBytes: (done, total) => this.#meter.came(address.href, done, Math.max(total, size)),
      });
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof FetchError && cause.status === 404 && unknown) throw unknown();
      const failure = new DataError(fetchFailure(what, cause));
      this.#failure = failure;
      throw failure;
    }
    if (!known && size > 0 && file.size !== size)
      throw new DataError(`${what} came with ${file.size} bytes instead of ${size}. Try again.`);
    this.#meter.came(address.href, file.size, file.size);
    return file;
  }
}
