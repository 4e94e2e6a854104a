/** @file ZIP archives: a PEFT folder or a model with its data as one download, and such archives read back. */
import { unzipSync, zipSync } from 'fflate';
import type { WrittenFile } from '../adapters/adapterTypes.ts';
import { FormatError } from '../errors.ts';

/** Files of an archive that are read; a small archive can claim any size. */
const LARGEST = 2 ** 31;

/** Whether the bytes start as a ZIP archive does. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;

/** The files as one archive, stored as they are: weights do not compress. */
export function zipFiles(files: readonly WrittenFile[]): Uint8Array {
  return zipSync(Object.fromEntries(files.map((f) => [f.path, f.bytes])), {
    level: 0,
    // A fixed time, so that the same adapter gives the same bytes.
    mtime: new Date(1980, 0, 1),
  });
}

/** The archive's files by path, folders and macOS's extras left out. Throws FormatError for a damaged archive or one of over 2 GiB. */
export function unzipFiles(bytes: Uint8Array): Map<string, Uint8Array> {
  let total = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (name.endsWith('/') || name.startsWith('__MACOSX/')) return false;
        total += originalSize;
        if (total > LARGEST) throw new FormatError('The ZIP archive holds more than 2 GiB. Unpack it first.');
        return true;
      },
    });
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError('The ZIP archive is damaged or of a kind that cannot be read. Unpack it first.');
  }
  return new Map(Object.entries(files));
}
