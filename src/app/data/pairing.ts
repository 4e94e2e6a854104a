/** @file Pairs of pictures as items: what is given, and what is wanted of it; matched by name, or in order. */
import { readPairs, sideOf } from '#src/tasks/pairs/data.ts';
import { baseName, stemOf } from '#src/tasks/files.ts';
import type { FoundImages } from '#src/tasks/images/list.ts';
import type { BlobSet } from './blobSet.ts';
import { type Item, newItem, type Wanted } from './content.ts';

/** Of a pair, the one picture or the other. */
export type Side = 'input' | 'wanted';

const key = (name: string): string => stemOf(baseName(name)).toLowerCase();
/** Lacks that side. */
export const lacks = (item: Item, side: Side): boolean =>
  side === 'input' ? item.blob === null : item.wanted == null;

export const withSide = (item: Item, side: Side, { name, blob }: Wanted): Item =>
  side === 'input' ? { ...item, name, blob } : { ...item, wanted: { name, blob } };

const nameOf = (item: Item): string => (item.blob ? item.name : (item.wanted?.name ?? item.name));

/** The pictures join the items that lack that side and have the same name; the others stand alone at the end. */
export function joined(items: readonly Item[], side: Side, pictures: readonly Wanted[]): readonly Item[] {
  const next = [...items];
  const waiting = new Map<string, number[]>();
  for (const [at, item] of items.entries()) {
    if (!lacks(item, side)) continue;
    const name = key(nameOf(item));
    waiting.set(name, [...(waiting.get(name) ?? []), at]);
  }
  for (const picture of pictures) {
    const at = waiting.get(key(picture.name))?.shift();
    if (at === undefined) next.push(withSide(newItem({ name: picture.name }), side, picture));
    else next[at] = withSide(next[at]!, side, picture);
  }
  return next;
}

/** What lacks an input and what lacks a wanted picture become pairs, in their order. */
export function inOrder(items: readonly Item[]): readonly Item[] {
  const inputless = items.filter((item) => lacks(item, 'input'));
  const used = new Set<Item>();
  const next = items.map((item) => {
    const other = lacks(item, 'wanted') ? inputless[used.size] : undefined;
    if (!other?.wanted) return item;
    used.add(other);
    return withSide(item, 'wanted', other.wanted);
  });
  return next.filter((item) => !used.has(item));
}

/** Input and wanted picture exchanged. */
export const swapped = (item: Item): Item => ({
  ...item,
  name: item.wanted?.name ?? item.name,
  blob: item.wanted?.blob ?? null,
  wanted: item.blob ? { name: item.name, blob: item.blob } : null,
});

/** Pairs of folders or tables as the task reads them, with the pictures that have no partner. */
export async function pairItems(files: BlobSet, { paths }: FoundImages): Promise<Item[]> {
  const pairs = await readPairs(files, []);
  const items: Item[] = [];
  const picture = async (name: string): Promise<Wanted> => ({ name, blob: await files.blob(name) });
  for (const { input, target } of pairs)
    items.push(newItem({ ...(await picture(input)), wanted: await picture(target) }));
  const known = new Set(pairs.flatMap(({ input, target }) => [input, target]));
  // A table leaves pictures out on purpose; one that says nothing of any does not.
  if (pairs.length > 0 && files.paths.some((path) => /\.(csv|tsv|jsonl|ndjson)$/i.test(path))) return items;
  for (const path of paths) {
    if (known.has(path)) continue;
    const side = sideOf(path)?.side === 1 ? 'wanted' : 'input';
    items.push(withSide(newItem({ name: path }), side, await picture(path)));
  }
  return items;
}
