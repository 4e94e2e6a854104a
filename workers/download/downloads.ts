/** @file Models from the web: looked at first, and fetched when the user says so. What is kept of them is `stored.ts`'s. */
import { sha256 } from '#src/tasks/digest.ts';
import type { Depot, Download, StoredFile } from '#src/store/downloads.ts';
import { megabytes, StoreError } from '#src/store/errors.ts';
import { room as roomOfBrowser, type Room } from '#src/store/persistence.ts';
import { DataError } from '#src/tasks/files.ts';
import { readStructure } from '#src/tasks/modelFiles.ts';
import { Cancelled } from '../trainer/problems.ts';
import { pickedFiles } from '../trainer/files/sources.ts';
import { type Address, addressOf } from './address.ts';
import { type Fetch, getFile } from './fetching.ts';
import { beside, type Listed, listed, listFiles } from './listing.ts';
import { StoredModels } from './stored.ts';
import type { DownloadProgress, RemoteModel } from './types.ts';

export interface DownloadsEnvironment {
  readonly depot: Depot;
  readonly fetch: Fetch;
  readonly room?: () => Promise<Room | null>;
  readonly now?: () => number;
  /** Waits between tries, milliseconds. */
  readonly pause?: (ms: number) => Promise<void>;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

export class Downloads {
  readonly #depot: Depot;
  readonly #fetch: Fetch;
  readonly #room: () => Promise<Room | null>;
  readonly #now: () => number;
  readonly #pause: DownloadsEnvironment['pause'];
  readonly #stored: StoredModels;
  #going: AbortController | null = null;

  constructor({ depot, fetch, room = roomOfBrowser, now = Date.now, pause }: DownloadsEnvironment) {
    this.#depot = depot;
    this.#fetch = fetch;
    this.#room = room;
    this.#now = now;
    this.#pause = pause;
    this.#stored = new StoredModels(depot, room);
  }

  /**
   * What lies at an address, and what of it is here already. Only lists and single bytes are fetched; where all is here, nothing.
   * @throws DataError in words: no address, no such file, not readable from here
   */
  async look(typed: string): Promise<RemoteModel> {
    const address = addressOf(typed);
    const known = await this.#depot.find(address.url);
    if (known && known.files.every((f) => f.sha256 !== null)) return this.#stored.described(known);
    const files = await listFiles(this.#fetch, address);
    return this.#stored.described(await this.#record(address, known, files));
  }

  /**
   * Fetches the chosen files, one after another, then those that a model turns out to keep weights in: they are listed, not fetched, so that
   * the user can be asked again.
   * @param paths of `look`'s files; what was chosen and not fetched before is fetched too
   */
  async download(
    typed: string,
    paths: readonly string[],
    tell: (progress: DownloadProgress) => void,
  ): Promise<RemoteModel> {
    if (this.#going) throw new DataError('A download is going on. Wait for it, or cancel it first.');
    const going = new AbortController();
    this.#going = going;
    try {
      const address = addressOf(typed);
      const known = await this.#depot.find(address.url);
      const all = known ?? (await this.#record(address, null, await listFiles(this.#fetch, address)));
      const chosen = new Set(paths);
      let record: Download = {
        ...all,
        files: all.files.filter((f) => f.sha256 !== null || chosen.has(f.path)),
      };
      if (record.files.length === 0) throw new DataError('No file was chosen. Choose at least one.');
      await this.#mustFit(record);
      await this.#depot.save(record);
      const sizes = record.files.map((f) => f.bytes);
      const total = sizes.every((n) => n !== null) ? sum(sizes) : null;
      let done = sum(record.files.map((f) => (f.sha256 === null ? 0 : f.bytes!)));
      for (const file of record.files.filter((f) => f.sha256 === null)) {
        const whole = await this.#get(file, going.signal, (bytes) => {
          done += bytes;
          tell({ path: file.path, done, total });
        });
        record = { ...record, files: record.files.map((f) => (f.path === whole.path ? whole : f)) };
        await this.#depot.save(record);
      }
      record = { ...record, files: [...record.files, ...(await this.#missing(record, going.signal))] };
      await this.#depot.save(record);
      return await this.#stored.described(record);
    } catch (error) {
      throw going.signal.aborted ? new Cancelled('The download was cancelled.') : error;
    } finally {
      this.#going = null;
    }
  }

  /** What came so far is kept: downloading again goes on there. */
  cancel(): void {
    this.#going?.abort();
  }

  async #record(
    { url, name }: Pick<Address, 'url' | 'name'>,
    known: Download | null,
    files: readonly Listed[],
  ): Promise<Download> {
    const before = new Map(known?.files.map((f) => [f.path, f]));
    const fresh = await Promise.all(
      files.map(async (file): Promise<StoredFile> => {
        const old = before.get(file.path);
        before.delete(file.path);
        // Its own marks stay with what has come of a file: they tell whether the rest belongs to it.
        return old?.url === file.url
          ? { ...old, bytes: old.bytes ?? file.bytes }
          : { ...file, sha256: null, blob: (await sha256(new TextEncoder().encode(file.url))).slice(0, 32) };
      }),
    );
    // Weights that a model was found to need are in no list.
    return { version: 1, url, name, savedAt: this.#now(), files: [...fresh, ...before.values()] };
  }

  /** Throws StoreError where the browser says beforehand that it has no room. */
  async #mustFit({ files }: Download): Promise<void> {
    const room = await this.#room();
    const wanted = sum(files.map((f) => (f.sha256 === null ? (f.bytes ?? 0) : 0)));
    if (room === null || wanted <= room.quota - room.used) return;
    throw new StoreError(
      'full',
      `There is no room for it: ${megabytes(wanted)} are to come, and this browser gives the page ${megabytes(Math.max(0, room.quota - room.used))} more.`,
      'Remove downloaded models or saved runs, or free space on the disk. A file on the disk can be opened from there without a copy.',
    );
  }

  async #get(file: StoredFile, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<StoredFile> {
    const out = await this.#depot.appender(file.blob);
    let whole: StoredFile;
    try {
      whole = await getFile(this.#fetch, file, out, {
        signal,
        onBytes,
        pause: this.#pause,
        stored: () => this.#depot.blob(file.blob),
      });
    } finally {
      out.close();
    }
    return this.#shared(whole);
  }

  /** Equal files of other addresses are kept once. */
  async #shared(file: StoredFile): Promise<StoredFile> {
    for (const { files } of await this.#depot.list())
      for (const other of files)
        if (other.sha256 === file.sha256 && other.bytes === file.bytes && other.blob !== file.blob) {
          await this.#depot.removeBlob(file.blob);
          return { ...file, blob: other.blob };
        }
    return file;
  }

  /** Files of weights that the models here name and that are not here. Those that the server has not are left to the inspector to tell. */
  async #missing(record: Download, signal: AbortSignal): Promise<StoredFile[]> {
    const { files } = await this.#stored.open(record.url);
    const set = await pickedFiles(record.name, files);
    const addresses = new Map(record.files.map((f) => [f.path, f.url]));
    const found: StoredFile[] = [];
    for (const path of set.paths.filter((p) => /\.onnx$/i.test(p) && addresses.has(p))) {
      const structure = await readStructure(set, path).catch(() => null);
      for (const { path: weights, bytes } of structure?.external ?? []) {
        if (bytes !== null || found.some((f) => f.path === weights)) continue;
        const folder = path.slice(0, path.lastIndexOf('/') + 1);
        const url = beside(addresses.get(path)!, weights.slice(folder.length));
        const file = await listed(this.#fetch, weights, url, signal).catch(() => null);
        if (!file) continue;
        const [stored] = (await this.#record(record, null, [file])).files;
        found.push(stored!);
      }
    }
    return found;
  }
}
