/** @file Pasted pictures and texts become files. */
import { describe, expect, it } from 'vitest';
import { addPasted, fromClipboard, kindOfText, PASTED, type Pasted } from './pasted.ts';
import { toSource } from './picked.ts';

const picture = (name = 'image.png'): Pasted => ({
  kind: 'file',
  name,
  blob: new Blob(['x'], { type: 'image/png' }),
});
const text = (words: string): Pasted => ({ kind: 'text', text: words });
const paths = (source: ReturnType<typeof addPasted>) => source?.files.map(({ path }) => path);

describe('kindOfText', () => {
  it.each([
    ['A story.\nIt goes on.', 'txt'],
    ['{"text": "a"}\n{"text": "b"}', 'jsonl'],
    ['{"text": "a"}\n{"text": ', 'txt'],
    ['text\tlabel\ngood\tyes', 'tsv'],
    ['text,label\n"good, really",yes', 'csv'],
    ['Hello, you.\nSo, it began.', 'txt'],
    ['[1, 2]', 'txt'],
  ])('%j is %s', (words, kind) => expect(kindOfText(words)).toBe(kind));
});

describe('addPasted', () => {
  it('gives nameless pictures names of their own, and adds to what was pasted before', () => {
    const first = addPasted(null, [picture(), picture()]);
    expect(first?.name).toBe(PASTED);
    expect(paths(first)).toEqual(['pasted-001.png', 'pasted-002.png']);
    expect(paths(addPasted(first, [picture()]))).toEqual([
      'pasted-001.png',
      'pasted-002.png',
      'pasted-003.png',
    ]);
  });

  it('takes a text right after a picture for its caption', async () => {
    const source = addPasted(addPasted(null, [picture()]), [text('a red fox')]);
    expect(paths(source)).toEqual(['pasted-001.png', 'pasted-001.txt']);
    expect(await source?.files[1]?.blob.text()).toBe('a red fox');
    expect(paths(addPasted(source, [text('more')]))).toEqual([
      'pasted-001.png',
      'pasted-001.txt',
      'pasted-003.txt',
    ]);
  });

  it('keeps the names of copied files, once', () => {
    expect(paths(addPasted(null, [picture('fox.png'), picture('fox.png')]))).toEqual([
      'fox.png',
      'pasted-001.png',
    ]);
  });

  it('starts anew beside a folder that was picked', () => {
    const folder = toSource([{ path: 'cats/a.png', blob: new Blob([]) }]);
    expect(paths(addPasted(folder, [picture()]))).toEqual(['pasted-001.png']);
  });

  it('is nothing where nothing was pasted', () => {
    expect(addPasted(null, [])).toBeNull();
    expect(addPasted(null, [text('  \n')])).toBeNull();
  });
});

it('reads the clipboard: a picture rather than the words about it', async () => {
  const item = (types: Readonly<Record<string, string>>) => ({
    types: Object.keys(types),
    getType: async (type: string) => new Blob([types[type] ?? ''], { type }),
  });
  const read = async () =>
    [
      item({ 'text/html': '<img>', 'image/png': 'x' }),
      item({ 'text/plain': 'hello' }),
      item({ 'text/plain': ' ' }),
    ] as unknown as ClipboardItems;
  const found = await fromClipboard({ read });
  expect(found.map(({ kind }) => kind)).toEqual(['file', 'text']);
});
