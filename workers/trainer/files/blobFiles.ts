/** @file A set of files whose contents are Blobs: ranges are read as they are wanted. */
import { Kept } from '#src/platform/kept.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';

/** Hidden files, and what macOS packs beside. */
export const hidden = (path: string): boolean =>
  path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX');

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * @param files paths and sizes
 * @param content of a file; asked for once each
 */
export function fileSetOf(
  name: string,
  files: readonly { readonly path: string; readonly size: number }[],
  content: (path: string) => Blob | Promise<Blob>,
): FileSet {
  const sizes = new Map(files.map(({ path, size }) => [path, size]));
  const blobs = new Kept<string, Blob>();
  const find = (path: string): number => {
    const size = sizes.get(path);
    if (size === undefined)
      throw new DataError(`${path} is not in ${name}. Put it there, and pick the files again.`);
    return size;
  };
  return {
    name,
    paths: [...sizes.keys()].sort(byName),
    size: (path) => Promise.resolve(path).then(find),
    async read(path, offset = 0, length) {
      find(path);
      const blob = await blobs.get(path, async () => content(path));
      try {
        const part = blob.slice(offset, length === undefined ? blob.size : offset + length);
        return new Uint8Array(await part.arrayBuffer());
      } catch {
        throw new DataError(`${path} could not be read: it was moved or changed. Pick the files again.`);
      }
    },
  };
}
