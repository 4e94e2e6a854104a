/** @file FileSets from what the page names: built-in folders on our own origin, or files that the user picked. */
import { DataError, type FileSet } from '#src/tasks/files.ts';
import type { Source } from '../protocol.ts';
import { fileSetOf, hidden } from './blobFiles.ts';
import { isZip, zipFiles } from './zipFiles.ts';

export interface OpenOptions {
  /** Address of the app's folder. */
  readonly base: URL;
  /** Where built-in folders of this kind lie. */
  readonly kind: 'models' | 'data';
  /** Bytes fetched since the last call. */
  readonly onFetched?: (bytes: number) => void;
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

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

interface Listing {
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/**
 * A built-in folder: `<kind>/<first part of id>/files.json` lists its files (a static host lists none); what follows in the id is a
 * folder inside it (`high-contrast/train`).
 */
export async function builtinFiles(id: string, { base, kind, onFetched }: OpenOptions): Promise<FileSet> {
  const [set = '', ...rest] = id.split('/');
  if (![set, ...rest].every((part) => /^[\w-][\w.-]*$/.test(part)))
    throw new DataError(`There is no built-in folder "${id}".`);
  const folder = new URL(`${kind}/${set}/`, base);
  const inside = rest.length > 0 ? `${rest.join('/')}/` : '';
  const unknown = new DataError(`There is no built-in folder "${id}".`);
  const response = await get(new URL('files.json', folder), `The list of "${id}"`, unknown);
  // A host that answers everything with its first page knows no such folder either.
  const { files } = (await response.json().catch(() => Promise.reject(unknown))) as Listing;
  const sizes = new Map(
    files
      .filter(({ path }) => path.startsWith(inside) && !hidden(path))
      .map(({ path, size }) => [path.slice(inside.length), size]),
  );
  if (sizes.size === 0) throw unknown;
  const known = (path: string): number => {
    const size = sizes.get(path);
    if (size === undefined) throw new DataError(`${path} is not in ${id}.`);
    return size;
  };
  /** Fetched once each; a Blob need not lie in the heap. */
  const fetched = new Map<string, Promise<Blob>>();
  const whole = async (path: string): Promise<Blob> => {
    const expected = known(path);
    const address = new URL(inside + path.split('/').map(encodeURIComponent).join('/'), folder);
    const bytes = await download(await get(address, path), path, onFetched);
    if (bytes.byteLength !== expected)
      throw new DataError(
        `${path} came with ${bytes.byteLength} bytes instead of ${expected}. Reload the page to fetch it again.`,
      );
    return new Blob([bytes as Uint8Array<ArrayBuffer>]);
  };
  return {
    name: id,
    paths: [...sizes.keys()].sort(byName),
    size: (path) => Promise.resolve(path).then(known),
    async read(path, offset = 0, length) {
      const blob = fetched.get(path) ?? whole(path);
      fetched.set(path, blob);
      blob.catch(() => fetched.delete(path));
      const part = (await blob).slice(offset, length === undefined ? undefined : offset + length);
      return new Uint8Array(await part.arrayBuffer());
    },
  };
}

/** @param missing thrown where the server has no such file */
async function get(address: URL, what: string, missing?: DataError): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address);
  } catch {
    throw new DataError(`${what} could not be fetched: there is no connection. Try again when online.`);
  }
  if (response.status === 404 && missing) throw missing;
  if (!response.ok)
    throw new DataError(`${what} could not be fetched: the server said ${response.status}. Reload the page.`);
  return response;
}

async function download(
  response: Response,
  what: string,
  onFetched?: (bytes: number) => void,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const reader = response.body?.getReader();
    if (!reader) return new Uint8Array(await response.arrayBuffer());
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      length += value.byteLength;
      onFetched?.(value.byteLength);
    }
  } catch {
    throw new DataError(`${what} could not be fetched: the connection broke off. Try again.`);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
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
