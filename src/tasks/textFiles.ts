/** @file The text files of a data set, of which no more is read than fits the memory. */
import { LARGEST_BESIDE, LARGEST_CAPTION, MOST_TEXT, apartWords } from '#src/platform/limits.ts';
import { Reason } from '#src/platform/refusals.ts';
import { decodeText } from './decodeText.ts';
import { DataError, type FileSet } from './files.ts';

/** The bytes of a file of a kind that is never larger. @throws Reason that says both sizes */
export async function boundedBytes(files: FileSet, path: string, most: number): Promise<Uint8Array> {
  const size = await files.size(path);
  if (size > most) {
    const [own, limit] = apartWords(size, most);
    throw new Reason(`it has ${own}; up to ${limit} are read`);
  }
  return files.read(path);
}

/** The bytes of what stands beside a model: its configuration, its vocabulary. @throws DataError that names the file, for one that is too large */
export async function bytesBeside(files: FileSet, path: string): Promise<Uint8Array> {
  try {
    return await boundedBytes(files, path, LARGEST_BESIDE);
  } catch (error) {
    if (!(error instanceof Reason)) throw error;
    throw new DataError(`${path} is too large: ${error.message}. Copy it from the original model.`);
  }
}

/** The same as UTF-8, without a byte order mark. */
export const textBeside = async (files: FileSet, path: string): Promise<string> =>
  new TextDecoder().decode(await bytesBeside(files, path));

/** A picture's caption. @throws Reason for one that is too large or no text */
export const captionText = async (files: FileSet, path: string): Promise<string> =>
  decodeText(await boundedBytes(files, path, LARGEST_CAPTION));

/** Reads texts and tables of a set, and counts their bytes. */
export class TextFiles {
  #bytes = 0;

  /** @param most bytes of all together */
  constructor(
    readonly files: FileSet,
    readonly most = MOST_TEXT,
  ) {}

  /** @throws Reason for a file that is too large, or one too many */
  async bytes(path: string): Promise<Uint8Array> {
    const { files, most } = this;
    const size = await files.size(path);
    if (size <= most && this.#bytes + size > most) {
      const [all, limit] = apartWords(this.#bytes + size, most);
      throw new Reason(`with it the texts come to ${all}; up to ${limit} are read in all`);
    }
    const bytes = await boundedBytes(files, path, most);
    this.#bytes += size;
    return bytes;
  }

  /** UTF-8 or UTF-16. @throws Reason for what is no text, too */
  async text(path: string): Promise<string> {
    return decodeText(await this.bytes(path));
  }
}
