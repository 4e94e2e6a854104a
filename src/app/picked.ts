/** @file Folders and files that the user picks or drops become a Source; pictures and captions are paired for a look before training. */
import type { Source } from '#workers/protocol.ts';

type FileSource = Extract<Source, { kind: 'files' }>;
type PickedFile = FileSource['files'][number];

const hidden = (path: string) => path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX');
const stem = (path: string) => path.replace(/\.[^./]*$/, '');
const IMAGE = /\.(png|jpe?g|webp|gif|bmp|avif)$/i;

/** Drops the picked folder's own name from every path, so that paths are relative to it. */
export function toSource(
  files: readonly { readonly path: string; readonly blob: Blob }[],
): FileSource | null {
  const visible = files.filter(({ path }) => !hidden(path));
  const first = visible[0];
  if (!first) return null;
  const root = first.path.includes('/') ? first.path.slice(0, first.path.indexOf('/') + 1) : '';
  const common = root !== '' && visible.every(({ path }) => path.startsWith(root));
  const relative = visible
    .map(({ path, blob }) => ({ path: common ? path.slice(root.length) : path, blob }))
    .toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const name = common ? root.slice(0, -1) : visible.length === 1 ? first.path : `${visible.length} files`;
  return { kind: 'files', name, files: relative };
}

export function fromInput(list: FileList): FileSource | null {
  return toSource([...list].map((file) => ({ path: file.webkitRelativePath || file.name, blob: file })));
}

/** Everything in a drop, folders walked to the bottom. Call it in the event handler: the entries are gone after it. */
export async function fromDrop(transfer: DataTransfer): Promise<FileSource | null> {
  const entries: FileSystemEntry[] = [];
  const found: PickedFile[] = [];
  for (const item of transfer.items) {
    const entry = item.webkitGetAsEntry();
    // What comes from another page, not from the disk, is a file without an entry.
    const file = entry ? null : item.getAsFile();
    if (entry) entries.push(entry);
    else if (file) found.push({ path: file.name, blob: file });
  }
  const walk = async (entry: FileSystemEntry): Promise<void> => {
    if (isFile(entry)) {
      const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
      found.push({ path: entry.fullPath.replace(/^\//, ''), blob: file });
    } else if (isDirectory(entry)) {
      const reader = entry.createReader();
      for (;;) {
        const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
          reader.readEntries(resolve, reject),
        );
        if (batch.length === 0) break;
        for (const child of batch) await walk(child);
      }
    }
  };
  for (const entry of entries) await walk(entry);
  return toSource(found);
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

export interface Example {
  readonly name: string;
  /** An address that an <img> can show; `release` frees it. */
  readonly url: string;
  readonly caption: string;
}

export interface Examples {
  readonly images: number;
  readonly shown: readonly Example[];
  readonly release: () => void;
}

/** The first `limit` pictures of a source with their captions (the text file of the same name, else the file's name). */
export async function examples(source: Source, limit: number): Promise<Examples> {
  return source.kind === 'files' ? pickedExamples(source, limit) : builtinExamples(source.id, limit);
}

async function pickedExamples(source: FileSource, limit: number): Promise<Examples> {
  const images = source.files.filter(({ path }) => IMAGE.test(path));
  const texts = new Map(
    source.files.filter(({ path }) => /\.(txt|caption)$/i.test(path)).map((f) => [stem(f.path), f.blob]),
  );
  const shown = await Promise.all(
    images.slice(0, limit).map(async ({ path, blob }) => ({
      name: path,
      url: URL.createObjectURL(blob),
      caption: (await texts.get(stem(path))?.text())?.trim() ?? captionOf(path),
    })),
  );
  return {
    images: images.length,
    shown,
    release: () => shown.forEach(({ url }) => URL.revokeObjectURL(url)),
  };
}

/** `id` is a folder under data/, whose first part holds the list of files: `high-contrast/train`. */
async function builtinExamples(id: string, limit: number): Promise<Examples> {
  const [set = '', ...rest] = id.split('/');
  const response = await fetch(`data/${set}/files.json`);
  if (!response.ok)
    throw new Error(`The list of the built-in images could not be loaded (${response.status}).`);
  const { files } = (await response.json()) as { files: readonly { path: string }[] };
  const under = rest.length > 0 ? `${rest.join('/')}/` : '';
  const images = files.filter(({ path }) => path.startsWith(under) && IMAGE.test(path));
  const shown = images
    .slice(0, limit)
    .map(({ path }) => ({ name: path, url: `data/${set}/${path}`, caption: captionOf(path) }));
  return { images: images.length, shown, release: () => undefined };
}

const captionOf = (path: string) => stem(path.slice(path.lastIndexOf('/') + 1)).replace(/[-_]+/g, ' ');
