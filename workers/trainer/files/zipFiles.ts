/** @file A ZIP archive as a set of files: stored entries are read by range from the archive itself, compressed ones unpacked when first asked for. */
import { BlobReader, BlobWriter, configure, type Entry, type FileEntry, ZipReader } from '@zip.js/zip.js';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { fileSetOf, hidden } from './blobFiles.ts';

// Unpacking is in a worker already.
configure({ useWebWorkers: false });

/** All entries together may claim so many bytes; a small archive can claim anything. */
const LARGEST = 32e9;
/** Deflate packs a run of zeros 1,000 times; no file of images, text or weights comes near. */
const RATIO = 1100;

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
 * @throws DataError for archives that are damaged, encrypted, lead out of their folder or claim absurd sizes
 */
export async function zipFiles(name: string, archive: Blob): Promise<FileSet> {
  let entries: Entry[];
  try {
    // Names are judged below, in words of our own.
    entries = await new ZipReader(new BlobReader(archive)).getEntries({ filenameValidation: 'tolerant' });
  } catch {
    throw new DataError(
      `${name} is no whole ZIP archive: it is damaged or cut off. Pack or download it again.`,
    );
  }
  const files = entries.filter(
    (e): e is FileEntry => !e.directory && (leadsOut(pathOf(e)) || !hidden(pathOf(e))),
  );
  let total = 0;
  for (const e of files) {
    const path = pathOf(e);
    if (leadsOut(path))
      throw new DataError(`${name} holds ${path}, which leads out of the archive. Pack it again.`);
    if (e.encrypted) throw new DataError(`${name} is encrypted. Unpack it first.`);
    total += e.uncompressedSize;
    if (total > LARGEST || e.uncompressedSize > RATIO * Math.max(1, e.compressedSize) + 2 ** 20)
      throw new DataError(
        `${name} claims to unpack to ${path} of ${e.uncompressedSize} bytes, more than its ${e.compressedSize} bytes can hold. It is not unpacked. Pack it again.`,
      );
  }
  if (files.length === 0) throw new DataError(`${name} holds no files. Pack it again, with the files in it.`);
  const root = commonFolder(files.map(pathOf));
  const byPath = new Map(files.map((e) => [pathOf(e).slice(root.length), e]));
  return fileSetOf(
    name.replace(/\.zip$/i, ''),
    [...byPath].map(([path, entry]) => ({ path, size: entry.uncompressedSize })),
    (path) => contentOf(archive, byPath.get(path)!, `${path} in ${name}`),
  );
}

/** The folder that all paths lie in, with its slash; '': there is none. */
function commonFolder(paths: readonly string[]): string {
  const first = paths[0] ?? '';
  const root = first.slice(0, first.indexOf('/') + 1);
  return root !== '' && paths.every((p) => p.startsWith(root)) ? root : '';
}

const pathOf = (entry: Entry): string => entry.filename.replaceAll('\\', '/').replace(/^(\.\/)+/, '');

/** A view of a stored entry, or what a compressed one unpacks to, checked by its CRC. */
async function contentOf(archive: Blob, entry: FileEntry, what: string): Promise<Blob> {
  if (entry.compressionMethod === 0) {
    // The local header repeats the name, and has extra fields of its own (APPNOTE 4.3.7).
    const header = new DataView(await archive.slice(entry.offset, entry.offset + 30).arrayBuffer());
    const start = entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    const stored = archive.slice(start, start + entry.uncompressedSize);
    if (stored.size !== entry.uncompressedSize) throw new DataError(`${what} is cut off. Pack it again.`);
    return stored;
  }
  try {
    return await entry.getData(new BlobWriter(), { checkSignature: true });
  } catch {
    throw new DataError(`${what} is damaged. Pack it again.`);
  }
}
