/** @file FileSets from what the page names: built-in folders on our own origin, or files that the user picked. */
import { DataError, type FileSet } from '#src/tasks/files.ts';
import type { Source } from '../../protocol.ts';
import { fileSetOf, hidden } from './blobFiles.ts';
import type { OwnFiles } from './ownFiles.ts';
import { isZip, zipFiles } from './zipFiles.ts';

export interface OpenOptions {
  /** Fetches built-in files. */
  readonly own: OwnFiles;
  /** Where built-in folders of this kind lie. */
  readonly kind: 'models' | 'data';
}

/** Opens a source. Throws DataError if a built-in folder cannot be fetched. */
export function openSource(source: Source, options: OpenOptions): Promise<FileSet> {
  return source.kind === 'files' ? pickedFiles(source.name, source.files) : builtinFiles(source.id, options);
}

/** Picked files: ranges are read from the disk as they are wanted. A single ZIP archive is what it holds. */
export async function pickedFiles(
  name: string,
  files: readonly { readonly path: string; readonly blob: Blob }[],
): Promise<FileSet> {
  const visible = files
    .map(({ path, blob }) => ({ path: path.replaceAll('\\', '/'), blob }))
    .filter(({ path }) => !hidden(path));
  const [only, ...more] = visible;
  if (only && more.length === 0 && (await isZip(only.blob))) return zipFiles(only.path, only.blob);
  const blobs = new Map(visible.map(({ path, blob }) => [path, blob]));
  return fileSetOf(
    name,
    visible.map(({ path, blob }) => ({ path, size: blob.size })),
    (path) => blobs.get(path)!,
  );
}

/**
 * A built-in folder: `<kind>/<first part of id>/files.json` lists its files (a static host lists none); what follows in the id is a
 * folder inside it (`high-contrast/train`).
 */
export async function builtinFiles(id: string, { own, kind }: OpenOptions): Promise<FileSet> {
  const [set = '', ...rest] = id.split('/');
  const unknown = (): DataError =>
    new DataError(`There is no built-in folder "${id}". Choose a folder or file.`);
  if (![set, ...rest].every((part) => /^[\w-][\w.-]*$/.test(part))) throw unknown();
  const inside = rest.length > 0 ? `${rest.join('/')}/` : '';
  const folder = await own.folder(`${kind}/${set}/`, unknown);
  const files = folder.files
    .filter(({ path }) => path.startsWith(inside) && !hidden(path))
    .map(({ path, size }) => ({ path: path.slice(inside.length), size }));
  if (files.length === 0) throw unknown();
  return fileSetOf(id, files, (path) => folder.read(inside + path));
}

/** A key that is equal for equal sources: what was read of one need not be read again. */
export function sourceKey(source: Source | null): string {
  if (source === null) return 'none';
  if (source.kind === 'builtin') return `builtin:${source.id}`;
  const files = source.files.map(({ path, blob }) => [
    path,
    blob.size,
    blob instanceof File ? blob.lastModified : 0,
  ]);
  return JSON.stringify([source.name, files]);
}

/** The source of a name as jobs hold it ("builtin:emoji"); null: the user's own files, which only they can give. */
export function builtinSource(name: string): Source | null {
  return name.startsWith('builtin:') ? { kind: 'builtin', id: name.slice('builtin:'.length) } : null;
}

/** What people call the source. */
export const sourceName = (source: Source): string => (source.kind === 'files' ? source.name : source.id);
