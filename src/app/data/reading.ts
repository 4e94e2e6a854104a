/** @file Picked files as a collection, by the tasks' own readers: what it gives back, the task reads as the same examples. */
import { readCaptions } from '#src/tasks/diffusion/captions.ts';
import { readLabelled } from '#src/tasks/image-classification/data.ts';
import { readLabelledTexts } from '#src/tasks/text-classification/data.ts';
import { findImages } from '#src/tasks/images/list.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
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
import { chatItems, linesOf } from './textRows.ts';

/** Pictures, or texts, beyond which a list is no way to look at them. */
const MOST_ITEMS = 10_000;

/** What else the job says of how its data are read. */
export interface Reading extends Columns {
  /** Column of a second text; '': there is none. */
  readonly pair: string;
  readonly captionLines: 'all' | 'first';
}

const isTable = (path: string): boolean => /\.(csv|tsv|jsonl?|ndjson)$/i.test(path);
const failed = (problems: readonly TaskProblem[]): boolean => problems.some((p) => p.severity === 'error');
const withClasses = (items: readonly Item[]): Content => ({ items, classes: classesWith([], items) });

/** null: it cannot be shown as a collection, because of its form, its size, or what is wrong with it: then the task says of it what there is to say. */
export async function contentOf(
  kind: MadeKind,
  source: FileSource,
  reading: Reading,
): Promise<Content | null> {
  try {
    const files = await blobSet(source);
    if (!files) return null;
    const content = await readers[kind](files, reading);
    return content && content.items.length > 0 && content.items.length <= MOST_ITEMS ? content : null;
  } catch {
    // What cannot be read the worker reads anew, and says why.
    return null;
  }
}

const readers: Readonly<Record<MadeKind, (files: BlobSet, reading: Reading) => Promise<Content | null>>> = {
  pictures: readPictures,
  classes: readClasses,
  texts: readTexts,
  chats: async (files, { text }) => {
    const items = await chatItems(files, text);
    return items && { items, classes: [] };
  },
};

async function readPictures(files: BlobSet, { captionLines }: Reading): Promise<Content | null> {
  const { paths } = await findImages(files);
  const problems: TaskProblem[] = [];
  const captions = await readCaptions(files, '', paths, problems, captionLines);
  if (failed(problems)) return null;
  const items: Item[] = [];
  for (const name of paths) {
    const { text, source } = captions.get(name)!;
    items.push(newItem({ name, blob: await files.blob(name), words: source === null ? null : text }));
  }
  return { items, classes: [] };
}

async function readClasses(files: BlobSet): Promise<Content | null> {
  const { paths } = await findImages(files);
  const { images, heldout, problems } = await readLabelled(files);
  // Data that say themselves what is held out stay as they are.
  if (heldout !== null) return null;
  const tables = files.paths.some(isTable);
  if (tables && failed(problems)) return null;
  const labels = new Map(images.map(({ path, label }) => [path, label.trim()]));
  const items: Item[] = [];
  for (const name of tables ? images.map(({ path }) => path) : paths)
    items.push(newItem({ name, blob: await files.blob(name), label: labels.get(name) ?? null }));
  return withClasses(items);
}

async function readTexts(files: BlobSet, { text, label, pair: second }: Reading): Promise<Content | null> {
  if (!files.paths.some(isTable)) {
    const flat = files.paths.every((path) => !path.includes('/'));
    // Texts that lie in no folder have no class: each line is one.
    if (flat) return withClasses(await linesOf(files));
  }
  const read = await readLabelledTexts(files, { column: text, pairColumn: second, labelColumn: label });
  if (read.heldout !== null || failed(read.problems) || read.texts.some(({ pair }) => pair !== null))
    return null;
  return withClasses(read.texts.map((t) => newItem({ words: t.text.trim(), label: t.label.trim() })));
}
