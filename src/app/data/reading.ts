/** @file Picked files as a collection, by the tasks' own readers: what it gives back, the task reads as the same examples. */
import { readCaptions } from '#src/tasks/diffusion/captions.ts';
import { readLabelled } from '#src/tasks/image-classification/data.ts';
import type { Labelled } from '#src/tasks/classification/labels.ts';
import {
  type LabelledText,
  type LabelledTexts,
  readLabelledTexts,
} from '#src/tasks/text-classification/data.ts';
import { exportsIn } from '#src/tasks/language/chats/read.ts';
import { findImages } from '#src/tasks/images/list.ts';
import { TextFiles } from '#src/tasks/textFiles.ts';
import { pairItems } from './pairing.ts';
import { type BlobSet, blobSet } from './blobSet.ts';
import {
  classesWith,
  type Columns,
  type Content,
  type FileSource,
  type Item,
  type MadeKind,
  newItem,
} from './content.ts';
import { chatItems, linesOf, unlabelled } from './textRows.ts';

/** Pictures, or texts, beyond which a list is no way to look at them. */
const MOST_ITEMS = 10_000;

/** What else the job says of how its data are read. */
export interface Reading extends Columns {
  /** Column of a second text; '': there is none. */
  readonly pair: string;
  readonly captionLines: 'all' | 'first';
  /** Exports of chats are texts as any others. */
  readonly exportsOff: boolean;
}

const isTable = (path: string): boolean => /\.(csv|tsv|jsonl?|ndjson)$/i.test(path);
const withClasses = (items: readonly Item[]): Content => ({ items, classes: classesWith([], items) });

/** What can be read of it, whatever is wrong with the rest, of which the task says what there is to say; null: nothing, or it is of another form or size. */
export async function contentOf(
  kind: MadeKind,
  source: FileSource,
  reading: Reading,
): Promise<Content | null> {
  try {
    const files = await blobSet(source);
    if (!files || (kind === 'chats' && !reading.exportsOff && (await hasExports(files)))) return null;
    const content = await readers[kind](files, reading);
    return content.items.length > 0 && content.items.length <= MOST_ITEMS ? content : null;
  } catch {
    // What cannot be read the worker reads anew, and says why.
    return null;
  }
}

/** An export of chats is no list to look at: the worker says who speaks in it. */
const hasExports = async (files: BlobSet): Promise<boolean> => (await exportsIn(files)).size > 0;

const readers: Readonly<Record<MadeKind, (files: BlobSet, reading: Reading) => Promise<Content>>> = {
  pictures: readPictures,
  classes: readClasses,
  texts: readTexts,
  pairs: async (files) => ({ items: await pairItems(files, await findImages(files)), classes: [] }),
  chats: async (files, { text }) => ({ items: await chatItems(files, text), classes: [] }),
};

async function readPictures(files: BlobSet, { captionLines }: Reading): Promise<Content> {
  const { paths } = await findImages(files);
  const captions = await readCaptions(files, '', paths, [], captionLines);
  const items: Item[] = [];
  for (const name of paths) {
    const { text, source } = captions.get(name)!;
    items.push(newItem({ name, blob: await files.blob(name), words: source === null ? null : text }));
  }
  return { items, classes: [] };
}

async function readClasses(files: BlobSet): Promise<Content> {
  const { paths } = await findImages(files);
  const { images, heldout } = await readLabelled(files);
  const labelled = async (list: readonly Labelled[]): Promise<Item[]> => {
    const items: Item[] = [];
    for (const { path: name, label } of list)
      items.push(newItem({ name, blob: await files.blob(name), label: label.trim() }));
    return items;
  };
  // A table leaves pictures out on purpose; one that says nothing of any does not.
  const tables = files.paths.some(isTable) && images.length > 0;
  const known = new Set([...images, ...(heldout ?? [])].map(({ path }) => path));
  const loose: Item[] = [];
  if (!tables)
    for (const name of paths)
      if (!known.has(name)) loose.push(newItem({ name, blob: await files.blob(name) }));
  const content = withClasses([...(await labelled(images)), ...loose]);
  return heldout ? { ...content, heldout: withClasses(await labelled(heldout)) } : content;
}

async function readTexts(files: BlobSet, { text, label, pair: second }: Reading): Promise<Content> {
  if (!files.paths.some(isTable)) {
    const flat = files.paths.every((path) => !path.includes('/'));
    // Texts that lie in no folder have no class: each line is one.
    if (flat) return withClasses(await linesOf(files));
  }
  const read = await readLabelledTexts(files, { column: text, pairColumn: second, labelColumn: label });
  const items = (texts: readonly LabelledText[]): Item[] =>
    texts.map((t) =>
      newItem({ words: t.text.trim(), label: t.label.trim(), answer: t.pair?.trim() ?? null }),
    );
  const rows = items(read.texts);
  const content = withClasses([...rows, ...(await withoutLabel(files, read, text))]);
  return read.heldout ? { ...content, heldout: withClasses(items(read.heldout)) } : content;
}

/** Texts that nothing labels: they are there to be given a label. */
async function withoutLabel(
  files: BlobSet,
  { texts, heldout, problems }: LabelledTexts,
  column: string,
): Promise<Item[]> {
  const of = (kind: string) => problems.filter(({ group }) => group?.kind === kind);
  const loose = new Set(of('no-class').flatMap(({ group }) => group?.items ?? []));
  const items: Item[] = [];
  const source = new TextFiles(files);
  for (const path of loose) items.push(newItem({ words: (await source.text(path)).trim() }));
  if ((texts.length > 0 || heldout !== null) && of('no-label').length === 0) return items;
  const known = new Set(texts.map(({ text }) => text.trim()));
  const rest = await unlabelled(files, column);
  return [...items, ...rest.filter(({ words }) => words !== null && !known.has(words))];
}
