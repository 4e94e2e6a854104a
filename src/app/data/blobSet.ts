/** @file Picked files as the tasks' readers want them, a single archive as what it holds; small ones alone, since the page itself waits for them. */
import { DataError, type FileSet, isHidden } from '#src/tasks/files.ts';
import type { FileSource } from './content.ts';

/** Files that are looked through on the page; of more, the worker alone tells. */
const MOST_FILES = 12_000;
/** Bytes that a packed archive may claim to hold. */
const MOST_UNPACKED = 500e6;

export interface BlobSet extends FileSet {
  /** Throws DataError where there is none. */
  blob(path: string): Promise<Blob>;
}

type Contents = ReadonlyMap<string, { readonly size: number; readonly content: () => Promise<Blob> }>;

async function contentsOf({ files }: FileSource): Promise<Contents | null> {
  const [only] = files;
  if (!only || files.length > 1 || !/\.zip$/i.test(only.path))
    return new Map(files.map(({ path, blob }) => [path, { size: blob.size, content: async () => blob }]));
  const { zipEntries } = await import('#src/platform/zip.ts');
  const entries = await zipEntries(only.blob);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  const strange = entries.some(
    ({ path, encrypted }) => encrypted || /^(\/|[a-z]:)|(^|\/)\.\.(\/|$)/i.test(path),
  );
  if (strange || total > MOST_UNPACKED) return null;
  const visible = entries.filter(({ path }) => !isHidden(path));
  const first = visible[0]?.path ?? '';
  const root = first.slice(0, first.indexOf('/') + 1);
  const common = visible.every(({ path }) => path.startsWith(root)) ? root.length : 0;
  return new Map(visible.map((entry) => [entry.path.slice(common), entry]));
}

/** null: there is too much of it to be looked through here, or it is for the worker to say what is wrong with it. */
export async function blobSet(source: FileSource): Promise<BlobSet | null> {
  const contents = await contentsOf(source);
  if (!contents || contents.size > MOST_FILES) return null;
  const find = (path: string) => {
    const found = contents.get(path);
    if (!found) throw new DataError(`${path} is not in ${source.name}. Pick the files again.`);
    return found;
  };
  return {
    name: source.name,
    paths: [...contents.keys()].filter((path) => !isHidden(path)).sort(),
    blob: (path) => find(path).content(),
    size: async (path) => find(path).size,
    async read(path, offset = 0, length) {
      const blob = await find(path).content();
      const end = length === undefined ? blob.size : offset + length;
      return new Uint8Array(await blob.slice(offset, end).arrayBuffer());
    },
  };
}
