/** @file What is pasted from the clipboard becomes files among the data: pictures, copied files, and text as the kind of table it looks like. */
import { isPictureName } from '#src/tasks/images/list.ts';
import type { Source } from '#workers/protocol.ts';

type FileSource = Extract<Source, { kind: 'files' }>;

/** One thing of the clipboard. */
export type Pasted =
  | { readonly kind: 'file'; readonly name: string; readonly blob: Blob }
  | { readonly kind: 'text'; readonly text: string };

/** What pasted data are called in jobs and lists. */
export const PASTED = 'Pasted data';

const endings: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/gif': 'gif',
  'image/bmp': 'bmp',
  'image/tiff': 'tiff',
  'image/heic': 'heic',
  'image/jxl': 'jxl',
  'image/svg+xml': 'svg',
};

/** What browsers call a picture that was copied from a page or cut out of the screen. */
const UNNAMED = /^image\.\w+$/i;
/** Columns that tables of training data have: a line of such words is their head. */
const COLUMN =
  /^"?(text|sentence|label|class|category|prompt|completion|answer|caption|file_name|input|target)"?$/i;

const stemOf = (path: string) => path.replace(/\.[^./]*$/, '');

/** "jsonl", "tsv", "csv", "json" or "txt". */
export function kindOfText(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const isObject = (line: string) => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    } catch {
      return false;
    }
  };
  if (lines.length > 0 && lines.every(isObject)) return 'jsonl';
  if (lines.length > 1 && lines.every((line) => line.includes('\t'))) return 'tsv';
  const head = (lines[0] ?? '').split(',').map((cell) => cell.trim());
  if (lines.length > 1 && head.length > 1 && head.some((cell) => COLUMN.test(cell))) return 'csv';
  return 'txt';
}

/**
 * The pasted things beside those pasted before. A text right after a picture is its caption: it goes into the .txt file of the same name.
 * null: there was nothing in it.
 */
export function addPasted(before: Source | null, things: readonly Pasted[]): FileSource | null {
  const files = before?.kind === 'files' && before.name === PASTED ? [...before.files] : [];
  const was = files.length;
  let number = files.filter(({ path }) => path.startsWith('pasted-')).length;
  const taken = (path: string) => files.some((file) => file.path === path);
  const fresh = (ending: string): string => {
    for (;;) {
      number++;
      const path = `pasted-${String(number).padStart(3, '0')}.${ending}`;
      if (!taken(path)) return path;
    }
  };
  for (const thing of things) {
    if (thing.kind === 'text') {
      if (thing.text.trim() === '') continue;
      const last = files.at(-1)?.path;
      const kind = kindOfText(thing.text);
      const caption =
        kind === 'txt' && last !== undefined && isPictureName(last) ? `${stemOf(last)}.txt` : null;
      files.push({
        path: caption !== null && !taken(caption) ? caption : fresh(kind),
        blob: new Blob([thing.text], { type: 'text/plain' }),
      });
    } else {
      const ending = endings[thing.blob.type] ?? /\.([^./]+)$/.exec(thing.name)?.[1] ?? 'bin';
      const own = thing.name !== '' && !UNNAMED.test(thing.name) && !taken(thing.name);
      files.push({ path: own ? thing.name : fresh(ending), blob: thing.blob });
    }
  }
  return files.length > was ? { kind: 'files', name: PASTED, files } : null;
}

/** What a paste event brings. Call it in the event's handler: the data are gone after it. Files go before text that describes them. */
export function fromPaste(transfer: DataTransfer): Pasted[] {
  const files = [...transfer.files];
  if (files.length > 0) return files.map((blob) => ({ kind: 'file', name: blob.name, blob }));
  const text = transfer.getData('text/plain');
  return text.trim() === '' ? [] : [{ kind: 'text', text }];
}

/** The same at the press of a button. Throws where the browser or the user refuses; pages over plain http have no clipboard at all. */
export async function fromClipboard(
  clipboard: Pick<Clipboard, 'read'> | undefined = (navigator as Partial<Navigator>).clipboard,
): Promise<Pasted[]> {
  if (!clipboard) throw new Error('This page has no clipboard.');
  const found: Pasted[] = [];
  for (const item of await clipboard.read()) {
    const picture = item.types.find((type) => type in endings);
    if (picture !== undefined) found.push({ kind: 'file', name: '', blob: await item.getType(picture) });
    else if (item.types.includes('text/plain'))
      found.push({ kind: 'text', text: await (await item.getType('text/plain')).text() });
  }
  return found.filter((thing) => thing.kind === 'file' || thing.text.trim() !== '');
}
