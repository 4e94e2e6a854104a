/** @file A ZIP archive as a set of files: stored entries are read by range from the archive itself, compressed ones unpacked when first asked for. */
import { MOST_UNPACKED, sizeWords } from '#src/platform/limits.ts';
import { TooManyFiles, type ZipEntry, ZipError, zipEntries } from '#src/platform/zip.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { fileSetOf, hidden } from './blobFiles.ts';

/** The first bytes of an archive: an entry, or the end of an empty one. */
export async function isZip(blob: Blob): Promise<boolean> {
  try {
    const [p, k, a, b] = new Uint8Array(await blob.slice(0, 4).arrayBuffer());
    return p === 0x50 && k === 0x4b && ((a === 3 && b === 4) || (a === 5 && b === 6));
  } catch {
    // A file that is gone is told of when it is read.
    return false;
  }
}

const leadsOut = (path: string): boolean =>
  path.startsWith('/') || /^[a-z]:/i.test(path) || path.split('/').includes('..');

/**
 * A folder that holds everything is left out of the paths.
 * @param name what people call the archive
 * @param most bytes to which its packed files may unpack together: what each says is never exceeded
 * @throws DataError for archives that are damaged, encrypted, lead out of their folder, or come to more than fits
 */
export async function zipFiles(name: string, archive: Blob, most = MOST_UNPACKED): Promise<FileSet> {
  let entries: ZipEntry[];
  try {
    entries = await zipEntries(archive);
  } catch (error) {
    if (error instanceof TooManyFiles)
      throw new DataError(`${name} is ${error.message}. Unpack it, and choose the files that are meant.`);
    throw new DataError(
      `${name} is no whole ZIP archive: it is damaged or cut off. Pack or download it again.`,
    );
  }
  const files = entries.filter(({ path }) => leadsOut(path) || !hidden(path));
  let unpacked = 0;
  for (const { path, size, packed, stored, impossible, encrypted } of files) {
    if (leadsOut(path))
      throw new DataError(`${name} holds ${path}, which leads out of the archive. Pack it again.`);
    if (encrypted) throw new DataError(`${name} is encrypted. Unpack it first.`);
    if (!stored) unpacked += size;
    if (impossible)
      throw new DataError(
        `${name} claims to unpack to ${path} of ${size} bytes, more than its ${packed} bytes can hold. It is not unpacked. Pack it again.`,
      );
    if (unpacked > most)
      throw new DataError(
        `${name} unpacks to more than ${sizeWords(most)}, the most that is unpacked here. Unpack it yourself and choose the folder, or pack it without compression.`,
      );
  }
  if (files.length === 0) throw new DataError(`${name} holds no files. Pack it again, with the files in it.`);
  const root = commonFolder(files.map(({ path }) => path));
  const byPath = new Map(files.map((entry) => [entry.path.slice(root.length), entry]));
  return fileSetOf(
    name.replace(/\.zip$/i, ''),
    [...byPath].map(([path, { size }]) => ({ path, size })),
    async (path) => {
      try {
        return await byPath.get(path)!.content();
      } catch (error) {
        if (!(error instanceof ZipError)) throw error;
        throw new DataError(`${path} in ${name} is ${error.message}. Pack it again.`);
      }
    },
  );
}

/** The folder that all paths lie in, with its slash; '': there is none. */
function commonFolder(paths: readonly string[]): string {
  const first = paths[0] ?? '';
  const root = first.slice(0, first.indexOf('/') + 1);
  return root !== '' && paths.every((p) => p.startsWith(root)) ? root : '';
}
