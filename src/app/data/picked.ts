/** @file Folders and files that the user picks or drops become a Source. */
import { PICTURE_ENDINGS } from '#src/tasks/images/list.ts';
import type { Source } from '#workers/protocol.ts';

/** What a file dialog offers where pictures and their captions are meant: endings, too, that some systems do not take for pictures. */
export const PICTURES_ACCEPTED = [
  'image/*',
  ...PICTURE_ENDINGS.map((ending) => `.${ending}`),
  ...['.txt', '.caption', '.csv', '.tsv', '.jsonl', '.zip'],
].join(',');

type FileSource = Extract<Source, { kind: 'files' }>;
type PickedFile = FileSource['files'][number];

const hidden = (path: string) => path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX');

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
