/** @file Files as one ZIP archive in memory: a PEFT folder or a model with its data as one download, and such archives read back. */
import { apartWords, MOST_ADAPTER } from '#src/platform/limits.ts';
import { NewZip, TooManyFiles, zipEntries } from '#src/platform/zip.ts';
import type { WrittenFile } from '../adapters/adapterTypes.ts';
import { FormatError } from '../errors.ts';
import { isZip } from './isZip.ts';

/** The files as one archive; the same adapter gives the same bytes. */
export async function zipFiles(files: readonly WrittenFile[]): Promise<Uint8Array> {
  const zip = new NewZip({ reproducible: true });
  for (const { path, bytes } of files) await zip.add(path, bytes);
  return new Uint8Array(await (await zip.close()).arrayBuffer());
}

/**
 * The archive's files by path, folders and macOS's extras left out.
 * @param most bytes that they may unpack to: what each says is never exceeded
 * @throws FormatError for a damaged archive, or one that holds more
 */
export async function unzipFiles(
  bytes: Uint8Array,
  name = 'The file',
  most = MOST_ADAPTER,
): Promise<Map<string, Uint8Array>> {
  try {
    const entries = (await zipEntries(new Blob([bytes as Uint8Array<ArrayBuffer>]))).filter(
      ({ path }) => !path.startsWith('__MACOSX/'),
    );
    const total = entries.reduce((sum, { size }) => sum + size, 0);
    const [all, limit] = apartWords(total, most);
    if (total > most)
      throw new FormatError(
        `${name} is a ZIP archive that unpacks to ${all}; up to ${limit} are read. Choose the adapter's file alone.`,
      );
    const files = new Map<string, Uint8Array>();
    for (const { path, content } of entries)
      files.set(path, new Uint8Array(await (await content()).arrayBuffer()));
    return files;
  } catch (error) {
    if (error instanceof FormatError) throw error;
    if (error instanceof TooManyFiles) throw new FormatError(`${name} is ${error.message}. Unpack it first.`);
    throw new FormatError(
      `${name} is a ZIP archive that is damaged, or of a kind that cannot be read. Unpack it first.`,
    );
  }
}

/** What was picked: the files of an archive where that is all, else the files themselves. Throws FormatError as unzipFiles does. */
export async function unpacked(
  files: ReadonlyMap<string, Uint8Array>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const [only, ...more] = files;
  return only && more.length === 0 && isZip(only[1]) ? unzipFiles(only[1], only[0]) : files;
}
