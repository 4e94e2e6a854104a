/** @file Picked files → collection → files: the tasks read the same examples of both. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { readCaptions } from '#src/tasks/diffusion/captions.ts';
import { readLabelled } from '#src/tasks/image-classification/data.ts';
import { findImages } from '#src/tasks/images/list.ts';
import { plainPng } from '#src/tasks/images/testing/host.ts';
import { ChatTemplate } from '#src/tasks/language/chat.ts';
import { readDocuments } from '#src/tasks/language/data.ts';
import { Framing } from '#src/tasks/language/frame.ts';
import { readPairs } from '#src/tasks/pairs/data.ts';
import { readLabelledTexts } from '#src/tasks/text-classification/data.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { pickedFiles } from '#workers/trainer/files/sources.ts';
import { archiveOf } from './archive.ts';
import type { FileSource, MadeKind } from './content.ts';
import { sourceOf } from './emitted.ts';
import { contentOf, type Reading } from './reading.ts';

const usual: Reading = { text: '', label: '', pair: '', captionLines: 'all', exportsOff: false };
type Files = Readonly<Record<string, string | Uint8Array>>;
const source = (files: Files, name = 'mine'): FileSource => ({
  kind: 'files',
  name,
  files: Object.entries(files).map(([path, content]) => ({
    path,
    blob: new Blob([typeof content === 'string' ? content : new Uint8Array(content)]),
  })),
});

/** What a task learns of a source, as texts in an order of their own: paths are no part of it, pictures are by their bytes. */
const examples: Readonly<Record<MadeKind, (given: FileSource) => Promise<string[]>>> = {
  pictures: async (given) => {
    const files = await pickedFiles(given.name, given.files);
    const { paths } = await findImages(files);
    const problems: TaskProblem[] = [];
    const captions = await readCaptions(files, '', paths, problems);
    const all = paths.map(async (path) => `${(await files.read(path)).join()}: ${captions.get(path)!.text}`);
    return (await Promise.all(all)).sort();
  },
  classes: async (given) => {
    const files = await pickedFiles(given.name, given.files);
    const { images } = await readLabelled(files);
    const all = images.map(async ({ path, label }) => `${(await files.read(path)).join()}: ${label.trim()}`);
    return (await Promise.all(all)).sort();
  },
  pairs: async (given) => {
    const files = await pickedFiles(given.name, given.files);
    const problems: TaskProblem[] = [];
    const pairs = await readPairs(files, problems);
    const bytes = async (path: string) => (await files.read(path)).join();
    const all = pairs.map(async ({ input, target }) => `${await bytes(input)}: ${await bytes(target)}`);
    const alone = problems.flatMap(({ group }) => (group?.kind.startsWith('no-') ? group.kind : []));
    return [...(await Promise.all(all)), ...alone].sort();
  },
  texts: async (given) => {
    const files = await pickedFiles(given.name, given.files);
    const { texts } = await readLabelledTexts(files, { column: '', pairColumn: '', labelColumn: '' });
    return texts.map(({ text, label }) => JSON.stringify([text, label.trim()])).sort();
  },
  chats: async (given) => {
    const files = await pickedFiles(given.name, given.files);
    const framing = new Framing(new ChatTemplate(null), 'auto');
    const { documents } = await readDocuments(files, { column: '', framing });
    return documents.map(({ pieces, frame, question }) => JSON.stringify([pieces, frame, question])).sort();
  },
};

async function roundTrip(kind: MadeKind, given: FileSource): Promise<boolean> {
  const content = await contentOf(kind, given, usual);
  if (!content) return false;
  const back = sourceOf(kind, content, given.name, usual);
  expect(await examples[kind](back)).toEqual(await examples[kind](given));
  return true;
}

const words = fc.string({ unit: 'grapheme', maxLength: 30 });
const stem = fc.oneof(
  fc.constantFrom('IMG_2000', 'red-apple_2', 'Über uns', 'a', 'A', '10_x'),
  fc.stringMatching(/^[\w ,()-]{1,12}$/),
);
const folder = fc.constantFrom('', 'cat/', 'dog/', 'cat/old/', '10_red robot/', 'train/cat/', ' b/');
const picture = fc.record({ folder, stem, ending: fc.constantFrom('.png', '.PNG', '.jpg') });
const pictures = fc.array(fc.record({ at: picture, caption: fc.option(words) }), {
  maxLength: 8,
  minLength: 1,
});
let bytes = 0;
const laid = (
  list: readonly { at: { folder: string; stem: string; ending: string }; caption: string | null }[],
) =>
  Object.fromEntries(
    list.flatMap(({ at, caption }): [string, string | Uint8Array][] => [
      [`${at.folder}${at.stem}${at.ending}`, plainPng(++bytes)],
      ...(caption === null ? [] : [[`${at.folder}${at.stem}.txt`, caption] as [string, string]]),
    ]),
  );
const runs = { numRuns: depth(60, 2000) };

describe('the same examples come of a collection', () => {
  it('of pictures with captions', async () => {
    let shown = 0;
    await fc.assert(
      fc.asyncProperty(pictures, async (list) => {
        if (await roundTrip('pictures', source(laid(list)))) shown++;
      }),
      runs,
    );
    expect(shown).toBeGreaterThan(runs.numRuns / 2);
  });

  it('of pictures in folders', async () => {
    let shown = 0;
    await fc.assert(
      fc.asyncProperty(pictures, async (list) => {
        const given = source(laid(list.map((each) => ({ ...each, caption: null }))));
        if (await roundTrip('classes', given)) shown++;
      }),
      runs,
    );
    expect(shown).toBeGreaterThan(runs.numRuns / 2);
  });

  it('of a table of texts', async () => {
    let shown = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ text: words, label: fc.constantFrom('yes', 'no', 'a, b', '3') }), {
          minLength: 1,
        }),
        async (rows) => {
          const given = source({ 'rows.jsonl': rows.map((row) => JSON.stringify(row)).join('\n') });
          if (await roundTrip('texts', given)) shown++;
        },
      ),
      runs,
    );
    expect(shown).toBeGreaterThan(runs.numRuns / 2);
  });

  it('of texts and answers', async () => {
    const row = fc.oneof(
      fc.record({ text: words }),
      fc.record({ prompt: words, completion: words }),
      fc.record({ instruction: words, output: words }),
      words,
    );
    let shown = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1 }), words, async (rows, story) => {
        const lines = rows.map((each) => JSON.stringify(each)).join('\n');
        if (await roundTrip('chats', source({ 'a.jsonl': lines, 'story.txt': story }))) shown++;
      }),
      runs,
    );
    expect(shown).toBeGreaterThan(runs.numRuns / 2);
  });

  it.each<[string, MadeKind, Files]>([
    [
      'a table of pictures',
      'pictures',
      { 'a.png': plainPng(1), 'metadata.csv': 'file_name,text\na.png,"x, ""y"""\n' },
    ],
    ['a caption of nothing', 'pictures', { 'a.png': plainPng(1), 'a.txt': '' }],
    ['several lines', 'pictures', { 'a.png': plainPng(1), 'a.txt': 'one\ntwo' }],
    [
      'labels in a table',
      'classes',
      { 'a.png': plainPng(1), 'b.png': plainPng(2), 'labels.csv': 'file,label\na.png,x\nb.png,y\n' },
    ],
    ['a CSV of texts', 'texts', { 'a.csv': 'text,label\n"one, two",x\nthree,y\n' }],
    ['folders of texts', 'texts', { 'x/1.txt': 'one\ntwo', 'y/1.txt': ' three ' }],
    ['questions in a CSV', 'chats', { 'a.csv': 'question,answer\nwho,me\n' }],
    ['two texts a row', 'texts', { 'a.jsonl': '{"sentence1":"a","sentence2":"b","label":"x"}' }],
    [
      'chats of many turns',
      'chats',
      {
        'a.jsonl': ['user', 'assistant', 'user', 'assistant']
          .map((role, i) => ({ role, content: `${i}` }))
          .map((_, i, all) => JSON.stringify({ messages: all.slice(0, i + 1) }))
          .slice(1)
          .join('\n'),
      },
    ],
    [
      'pairs in folders, some alone',
      'pairs',
      {
        'input/a.png': plainPng(1),
        'input/b.c.png': plainPng(2),
        'input/sub/a.png': plainPng(3),
        'target/a.jpg': plainPng(4),
        'target/b.c.png': plainPng(5),
        'target/z.png': plainPng(6),
      },
    ],
    [
      'pairs in a table',
      'pairs',
      { '1.png': plainPng(1), '2.png': plainPng(2), 'pairs.csv': 'input,target\n1.png,2.png\n2.png,1.png\n' },
    ],
    ['a whole book', 'chats', { 'book.txt': 'Call me Ishmael. '.repeat(9000) }],
  ])('of %s', async (_, kind, files) => {
    expect(await roundTrip(kind, source(files))).toBe(true);
  });

  it('of an archive', async () => {
    const { blob } = await archiveOf(source({ 'cat/1.png': plainPng(1), 'dog/1.png': plainPng(2) }, 'pets'));
    expect(
      await roundTrip('classes', { kind: 'files', name: 'pets.zip', files: [{ path: 'pets.zip', blob }] }),
    ).toBe(true);
  });

  it('of classes that no folder could be called', async () => {
    const items = ['a/b', '..', 'train', 'x'.repeat(150)].map((label, i) => ({
      ...{ id: i, name: 'same.png', words: null, answer: null, label },
      blob: new Blob([new Uint8Array(plainPng(i))]),
    }));
    const made = sourceOf('classes', { items, classes: [] }, 'mine', usual);
    const { images } = await readLabelled(await pickedFiles(made.name, made.files));
    expect(images.map(({ label }) => label)).toEqual(items.map(({ label }) => label));
  });
});

describe('what stays as it was picked', () => {
  it.each<[string, MadeKind, Files]>([
    [
      'a chat that holds more than words',
      'chats',
      { 'a.jsonl': '{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}' },
    ],
    ['what is no JSON', 'chats', { 'a.jsonl': '{"text": ' }],
    ['nothing', 'pictures', { 'a.pdf': 'x' }],
  ])('%s', async (_, kind, files) => {
    expect(await contentOf(kind, source(files), usual)).toBeNull();
  });
});

describe('what is wrong with a part of it does not keep the rest from being shown:', () => {
  it.each<[string, MadeKind, Files, unknown[]]>([
    [
      'a table that names a picture which is not there',
      'pictures',
      { 'a.png': plainPng(1), 'metadata.jsonl': '{"file_name":"b.png","text":"x"}' },
      [['a.png', null, null]],
    ],
    [
      'a caption that is no text',
      'pictures',
      { 'a.png': plainPng(1), 'a.txt': new Uint8Array([0xff, 0xc0]), 'b.png': plainPng(2), 'b.txt': 'b' },
      [
        ['a.png', null, null],
        ['b.png', 'b', null],
      ],
    ],
    [
      'a table without labels',
      'classes',
      { '1.png': plainPng(1), 'metadata.csv': 'file_name\n1.png\n' },
      [['1.png', null, null]],
    ],
    [
      'rows that are wrong',
      'classes',
      { '1.png': plainPng(1), 'm.csv': 'file_name,label\n1.png,x\nnone.png,y\n' },
      [['1.png', null, 'x']],
    ],
    [
      'texts without labels',
      'texts',
      { 'a.csv': 'text\none\ntwo\n' },
      [
        ['', 'one', null],
        ['', 'two', null],
      ],
    ],
    [
      'texts some of which have no label',
      'texts',
      { 'a.csv': 'text,label\none,x\ntwo,\n' },
      [
        ['', 'one', 'x'],
        ['', 'two', null],
      ],
    ],
    [
      'texts that lie beside the folders of their classes',
      'texts',
      { 'x/1.txt': 'one', 'y/1.txt': 'two', 'z.txt': 'three' },
      [
        ['', 'one', 'x'],
        ['', 'two', 'y'],
        ['', 'three', null],
      ],
    ],
    [
      'lines that are no JSON',
      'chats',
      { 'a.jsonl': '{"text":"one"}\n{"text": \n', 'b.txt': new Uint8Array([0xff]) },
      [['', 'one', null]],
    ],
  ])('%s', async (_, kind, files, shown) => {
    const content = await contentOf(kind, source(files), usual);
    expect(content?.items.map(({ name, words, label }) => [name, words, label])).toEqual(shown);
  });

  it('what data hold out themselves comes apart', async () => {
    const folders = await contentOf(
      'classes',
      source({ 'train/x/1.png': plainPng(1), 'train/y/2.png': plainPng(2), 'val/x/3.png': plainPng(3) }),
      usual,
    );
    expect(folders?.items.map(({ label }) => label)).toEqual(['x', 'y']);
    expect(folders?.heldout?.items.map(({ name, label }) => [name, label])).toEqual([['val/x/3.png', 'x']]);
    const tables = await contentOf(
      'texts',
      source({ 'train.csv': 'text,label\na,x\nb,y\n', 'test.csv': 'text,label\nc,x\n' }),
      usual,
    );
    expect([tables?.items.length, tables?.heldout?.items.length]).toEqual([2, 1]);
  });
});

it('pictures in no folder are in no class yet, and lines of a text are texts without one', async () => {
  const flat = await contentOf('classes', source({ '1.png': plainPng(1), '2.png': plainPng(2) }), usual);
  expect(flat?.items.map(({ label }) => label)).toEqual([null, null]);
  const lines = await contentOf('texts', source({ 'notes.txt': 'one\n\ntwo\n' }), usual);
  expect(lines?.items.map(({ words, label }) => [words, label])).toEqual([
    ['one', null],
    ['two', null],
  ]);
});

it('a change of equal length is another source to whoever compares files by size and time', () => {
  const item = { id: 1, name: 'a.png', blob: new Blob(['x']), words: null, answer: null };
  const of = (label: string) => sourceOf('classes', { items: [{ ...item, label }], classes: [] }, 'x', usual);
  const times = ['cat', 'dog'].map((label) =>
    of(label).files.map(({ blob }) => (blob instanceof File ? blob.lastModified : 0)),
  );
  expect(times[0]).not.toEqual(times[1]);
});
