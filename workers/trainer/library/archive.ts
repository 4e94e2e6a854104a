/** @file How an archive of runs is laid out: one list, and for each run a folder with a JSON file and its arrays. */
import { NewZip, type ZipEntry } from '#src/platform/zip.ts';
import { flatten, unflatten } from './plain.ts';

/** Raised when the meaning of anything in it changes; older Rotunes then refuse it. */
export const ARCHIVE_VERSION = 1;
export const FORMAT = 'rotune-runs';
/** The file by which such an archive is known. */
export const LIST = 'rotune-runs.json';
/** Bytes of a JSON file, and of an array, that are read; an archive can claim any size. */
const [LARGEST_JSON, LARGEST_ARRAY] = [2 ** 27, 2 ** 31];

const runFile = (folder: string): string => `${folder}/run.json`;
const arrayFile = (folder: string, at: number): string => `${folder}/arrays/${at}.bin`;

/** Writes runs one after another. */
export class RunArchive {
  readonly #zip = new NewZip();
  readonly #folders: string[] = [];

  async add(data: unknown): Promise<void> {
    const folder = `runs/${String(this.#folders.length + 1).padStart(4, '0')}`;
    const { json, arrays } = flatten(data);
    await this.#zip.add(runFile(folder), new TextEncoder().encode(json));
    for (const [at, bytes] of arrays.entries()) await this.#zip.add(arrayFile(folder, at), bytes);
    this.#folders.push(folder);
  }

  async close(): Promise<Blob> {
    const list = { format: FORMAT, version: ARCHIVE_VERSION, runs: this.#folders };
    await this.#zip.add(LIST, new TextEncoder().encode(JSON.stringify(list)));
    return this.#zip.close();
  }
}

/** The text of a file of an archive, by its checksum. Throws ZipError; null: it is too large to be one of ours. */
export async function textOf(entry: ZipEntry): Promise<string | null> {
  return entry.size > LARGEST_JSON ? null : (await entry.verified()).text();
}

/**
 * One run's data, unchecked.
 * @throws ZipError or Reason where a file of it is missing or damaged, SyntaxError for what is no JSON
 */
export async function readRun(
  files: ReadonlyMap<string, ZipEntry>,
  folder: string,
  missing: () => Error,
): Promise<unknown> {
  const entry = files.get(runFile(folder));
  const json = entry && (await textOf(entry));
  if (json == null) throw missing();
  return unflatten(json, async (at) => {
    const array = files.get(arrayFile(folder, at));
    if (!array || array.size > LARGEST_ARRAY) throw missing();
    return (await array.verified()).arrayBuffer();
  });
}
