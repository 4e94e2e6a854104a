/** @file A collection as the files that the tasks read: pictures with one metadata.jsonl, or rows.jsonl. Whatever names and classes hold, JSON holds, too. */
import type { Columns, Content, FileSource, Item, MadeKind } from './content.ts';

let stamp = 0;
/** Lists of equal length are told apart by their time, so that nothing read of an older one is taken for this one's. */
function list(path: string, rows: readonly object[]): FileSource['files'][number] {
  stamp = Math.max(stamp + 1, Date.now());
  const lines = rows.map((row) => JSON.stringify(row)).join('\n');
  return { path, blob: new File([lines], path, { type: 'application/jsonl', lastModified: stamp }) };
}

/** Paths that nothing takes for a hidden file or a way out of the folder, no two alike on systems that do not tell D from d. */
export function pathsOf(items: readonly Item[]): ReadonlyMap<Item, string> {
  const taken = new Set<string>();
  const paths = new Map<Item, string>();
  for (const item of items) {
    const clean = item.name
      .replaceAll('\\', '_')
      .split('/')
      .filter((part) => part !== '')
      .map((part) => part.trim().replace(/^\./, '_.'))
      .join('/');
    const [, stem = '', ending = ''] = /^(.*?)(\.[^./]+)?$/s.exec(clean || 'picture.png') ?? [];
    let path = stem + ending;
    for (let n = 2; taken.has(path.toLowerCase()); n++) path = `${stem} (${n})${ending}`;
    taken.add(path.toLowerCase());
    paths.set(item, path);
  }
  return paths;
}

/** Items that are trained with: of those in classes the ones that have one, unless none has. */
export function usedItems(kind: MadeKind, { items }: Content): readonly Item[] {
  if (kind === 'texts' || kind === 'chats')
    items = items.filter(
      ({ words, answer, chat }) => chat !== undefined || `${words ?? ''}${answer ?? ''}`.trim() !== '',
    );
  if (kind !== 'classes' && kind !== 'texts') return items;
  const labelled = items.filter(({ label }) => label !== null);
  return labelled.length > 0 ? labelled : items;
}

/** The rows of a list beside pictures, or of texts alone. */
function rowOf(kind: MadeKind, item: Item, path: string, { text, label, pair }: Columns): object | null {
  const { words, answer } = item;
  switch (kind) {
    case 'pictures':
      return words === null ? null : { file_name: path, text: words };
    case 'classes':
      return item.label === null ? null : { file_name: path, label: item.label };
    case 'texts':
      return {
        [text || 'text']: words,
        ...(answer !== null && { [pair || 'text_pair']: answer }),
        [label || 'label']: item.label ?? '',
      };
    case 'pairs':
      return null;
    case 'chats':
      if (item.chat) return { messages: item.chat };
      return answer === null ? { [text || 'text']: words } : { prompt: words, completion: answer };
  }
}

/** Where both pictures of a pair lie: under one name, which is their own as far as no other pair has it. */
export function pairFiles(
  items: readonly Item[],
): readonly (FileSource['files'][number] & { readonly id: number })[] {
  const ending = (name: string): string => /\.[^./]+$/.exec(name)?.[0] ?? '.png';
  const named = items.map((item) => ({ ...item, name: (item.blob ? item.name : item.wanted?.name) ?? '' }));
  const bare = named.map((item) => ({
    ...item,
    name: item.name.slice(item.name.lastIndexOf('/') + 1).replace(/\.[^./]+$/, '') || 'picture',
  }));
  const paths = pathsOf(bare);
  const files = items.flatMap(({ id, name, blob, wanted }, i) => {
    const stem = paths.get(bare[i]!)!.replaceAll('.', '_');
    return [
      ...(blob ? [{ path: `input/${stem}${ending(name)}`, blob, id }] : []),
      ...(wanted ? [{ path: `target/${stem}${ending(wanted.name)}`, blob: wanted.blob, id }] : []),
    ];
  });
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** @param name what the data are called in jobs and messages */
export function sourceOf(kind: MadeKind, content: Content, name: string, columns: Columns): FileSource {
  if (kind === 'pairs')
    return { kind: 'files', name, files: pairFiles(content.items).map(({ path, blob }) => ({ path, blob })) };
  const items = usedItems(kind, content);
  const paths = pathsOf(items);
  const rows = items.flatMap((item) => rowOf(kind, item, paths.get(item)!, columns) ?? []);
  const pictures = items.flatMap((item) => (item.blob ? [{ path: paths.get(item)!, blob: item.blob }] : []));
  const lists = rows.length === 0 ? [] : [list(pictures.length > 0 ? 'metadata.jsonl' : 'rows.jsonl', rows)];
  const files = [...pictures, ...lists].toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { kind: 'files', name, files };
}
