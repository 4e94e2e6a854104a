/** @file FileSets for tests: a folder on disk, or files made up on the spot. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError, type FileSet } from '#src/tasks/files.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Files by path; strings are encoded as UTF-8. */
export function memoryFiles(files: Readonly<Record<string, Uint8Array | string>>, name = 'made up'): FileSet {
  const bytes = (path: string): Uint8Array => {
    const content = files[path];
    if (content === undefined) throw new DataError(`${path} is not in ${name}.`);
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  return {
    name,
    paths: Object.keys(files).sort(),
    read: async (path, offset = 0, length) =>
      bytes(path).slice(offset, length === undefined ? undefined : offset + length),
    size: async (path) => bytes(path).byteLength,
  };
}

/** A folder of this repository. */
export function diskFiles(folder: string): FileSet {
  const paths = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(join(root, folder).length + 1)
        .split(sep)
        .join('/'),
    )
    .sort();
  const bytes = (path: string): Uint8Array => new Uint8Array(readFileSync(join(root, folder, path)));
  return {
    name: folder,
    paths,
    read: async (path, offset = 0, length) =>
      bytes(path).slice(offset, length === undefined ? undefined : offset + length),
    size: async (path) => bytes(path).byteLength,
  };
}
