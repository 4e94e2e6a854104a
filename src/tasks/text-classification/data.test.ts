/** @file Labelled texts as people have them: good ones, bad ones, and sets that were damaged. */
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { DataError } from '#src/tasks/files.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { readLabelledTexts } from './data.ts';
import { type TextClassOptions, textClassDefaults } from './info.ts';
import { task } from './task.ts';

const topics = diskFiles('public/models/topics');
type Contents = Record<string, Uint8Array | string>;
type Some = Partial<TextClassOptions>;

const read = (files: Contents, options: Some = {}) =>
  readLabelledTexts(memoryFiles(files, 'mail'), { ...textClassDefaults, ...options });
const host = {
  backend: 'wasm' as const,
  frozen: () => () => Promise.reject(new Error('nothing runs here')),
  decodeImage: () => Promise.reject(new Error('no pictures here')),
};
async function prepare(train: Contents, options: Some = {}, heldout?: Contents, split = 0, model = topics) {
  const job = testJob('text-classification', options, { data: { split } });
  const opened = await task.open(model, openWhole(model), job);
  return opened.prepare(memoryFiles(train, 'mail'), heldout ? memoryFiles(heldout, 'more') : null, host);
}
const wrong = async (...given: Parameters<typeof prepare>) =>
  (await prepare(...given)).problems.map((p) => `${p.severity}: ${p.message}`);

const csv = (...rows: readonly (readonly string[])[]): string => rows.map((row) => row.join(',')).join('\n');
const good = csv(
  ['text', 'label'],
  ['i am not happy with the soup', 'complaint'],
  ['when can i see the piano ?', 'question'],
  ['nobody answered', 'complaint'],
  ['how much is the ticket ?', 'question'],
);

describe('labels', () => {
  it.each<[string, Contents, Some, [string, string | null, string][]]>([
    [
      'a table',
      { 'a.csv': '\uFEFFid,Text,Label\n1,"a, ""b""",x\n2,c,y\n' },
      {},
      [
        ['a, "b"', null, 'x'],
        ['c', null, 'y'],
      ],
    ],
    [
      'semicolons',
      { 'a.csv': 'sentiment;review\n1;good\n0;bad\n' },
      {},
      [
        ['good', null, '1'],
        ['bad', null, '0'],
      ],
    ],
    ['tabs', { 'a.tsv': 'sentence\tlabel\na, b\tx\n' }, {}, [['a, b', null, 'x']]],
    [
      'JSON lines',
      { 'a.jsonl': '{"text": "a", "label": 1}\n\n{"text": "b", "label": "no"}' },
      {},
      [
        ['a', null, '1'],
        ['b', null, 'no'],
      ],
    ],
    ['a JSON list', { 'a.json': '[{"text": "a", "intent": true}]' }, {}, [['a', null, 'true']]],
    [
      'a table without names',
      {
        'a.csv':
          '1,"Oil is up","Prices of oil went up"\n1,"Shares","Shares fell a bit"\n2,"A goal","One to nil at home"\n',
      },
      {},
      [
        ['Prices of oil went up', null, '1'],
        ['Shares fell a bit', null, '1'],
        ['One to nil at home', null, '2'],
      ],
    ],
    [
      'columns by name',
      { 'a.csv': 'text,note,kind\nx,y,z\n' },
      { column: 'note', labelColumn: 'kind' },
      [['y', null, 'z']],
    ],
    ['two texts', { 'a.csv': 'premise,hypothesis,label\na,b,0\n' }, {}, [['a', 'b', '0']]],
    [
      'two texts by name',
      { 'a.csv': 'text,reply,label\na,b,0\n' },
      { pairColumn: 'reply' },
      [['a', 'b', '0']],
    ],
    [
      'folders',
      { 'spam/1.txt': ' a\n', 'ham/2.txt': 'b', 'ham/.x.txt': 'c', 'README.txt': 'd' },
      {},
      [
        ['b', null, 'ham'],
        ['a', null, 'spam'],
      ],
    ],
    ['UTF-16, as Excel writes it', { 'a.tsv': utf16('text\tlabel\nschön\tx\n') }, {}, [['schön', null, 'x']]],
  ])('from %s', async (_, files, options, want) => {
    const { texts, heldout, problems } = await read(files, options);
    expect(texts.map((t) => [t.text, t.pair, t.label])).toEqual(want);
    expect([problems, heldout]).toEqual([[], null]);
  });

  it.each<[string, Contents, string[], string[]]>([
    [
      'train.csv and dev.csv',
      { 'train.csv': 'text,label\na,x', 'dev.csv': 'text,label\nb,x', 'test.csv': 'text,label\nc,x' },
      ['a'],
      ['b'],
    ],
    ['train and test', { 'train-0.csv': 'text,label\na,x', 'test-0.csv': 'text,label\nc,x' }, ['a'], ['c']],
    [
      'folders of tables',
      { 'd/train/1.csv': 'text,label\na,x', 'd/validation/1.csv': 'text,label\nb,x' },
      ['a'],
      ['b'],
    ],
    [
      'folders of texts',
      { 'train/x/1.txt': 'a', 'train/y/1.txt': 'b', 'test/x/1.txt': 'c' },
      ['a', 'b'],
      ['c'],
    ],
  ])('hold out by the names of files: %s', async (_, files, train, kept) => {
    const { texts, heldout, problems } = await read(files);
    expect([texts.map((t) => t.text), heldout?.map((t) => t.text), problems]).toEqual([train, kept, []]);
  });
});

function utf16(text: string): Uint8Array {
  return new Uint8Array(Uint16Array.from(`\uFEFF${text}`, (c) => c.charCodeAt(0)).buffer);
}

describe('bad data', () => {
  it.each<[string, Contents, Some, RegExp]>([
    ['an empty folder', {}, {}, /error: mail: there is no text in it/],
    [
      'an empty table',
      { 'a.csv': '' },
      {},
      /error: a\.csv: it has no column for the text; its columns are none/,
    ],
    [
      'a table with names only',
      { 'a.csv': 'text,label\n' },
      {},
      /error: a\.csv: there is no row with a text/,
    ],
    [
      'no label column',
      { 'a.csv': 'text,colour\na,b\n' },
      {},
      /a\.csv: it has no column for the label; its columns are text, colour/,
    ],
    [
      'a column that is not there',
      { 'a.csv': good },
      { column: 'body' },
      /a\.csv: it has no column "body"; its columns are text, label/,
    ],
    [
      'ragged rows',
      { 'a.csv': `${good}\nx\n` },
      {},
      /error: a\.csv, row 6: it has 1 field, the header has 2/,
    ],
    [
      'an open quote',
      { 'a.csv': `${good}\n"x,y\n` },
      {},
      /error: a\.csv, row 6: a quoted field does not end/,
    ],
    ['no label', { 'a.csv': `${good}\nx,\n` }, {}, /error: a\.csv, row 6: it has no label/],
    [
      'no text',
      { 'a.csv': `${good}\n,question\n` },
      {},
      /warning: a\.csv, row 6: it has no text, and is left out/,
    ],
    [
      'no second text',
      { 'a.csv': 'text_a,text_b,label\na,b,x\nc,,y\nd,e,y\n' },
      {},
      /warning: a\.csv, row 3: it has no second text/,
    ],
    ['one class', { 'a.csv': 'text,label\na,x\nb,x\n' }, {}, /error: mail has one class only, "x"/],
    [
      'a text for a label',
      { 'a.csv': `${good}\nx,${'y'.repeat(201)}\n` },
      {},
      /error: a\.csv, row 6: its label has 201 characters/,
    ],
    [
      'bytes that are no text',
      { 'a.csv': Uint8Array.of(0xc3, 0x28, 0xff) },
      {},
      /error: a\.csv: it is not UTF-8 or UTF-16 text/,
    ],
    [
      'JSON that is none',
      { 'a.jsonl': '{"text": "a", "label": 1}\n{"text": ' },
      {},
      /error: a\.jsonl, row 2: it is not JSON/,
    ],
    [
      'the same text twice',
      { 'a.csv': `${good}\nnobody answered,complaint\n` },
      {},
      /warning: a\.csv, row 6 is the same text as a\.csv, row 4/,
    ],
    [
      'two labels',
      { 'a.csv': `${good}\nnobody answered,question\n` },
      {},
      /warning: a\.csv, row 6 has the label "question", the same text in a\.csv, row 4 the label "complaint"/,
    ],
    [
      'uneven classes',
      {
        'a.csv': csv(['text', 'label'], ['a', 'x'], ...Array.from({ length: 5 }, (_, i) => [`b ${i}`, 'y'])),
      },
      {},
      /warning: The classes are uneven: "y" has 5 texts, "x" 1/,
    ],
    [
      'a label out of range',
      { 'a.csv': 'text,label\na,0\nb,4\n' },
      { head: 'keep' },
      /error: The label 4 is out of range: the model has the classes 0 to 3/,
    ],
    [
      'a strange label',
      { 'a.csv': 'text,label\na,food\nb,sport\n' },
      { head: 'keep' },
      /error: The class "sport" is not among the model's 4 classes \(food, travel/,
    ],
    [
      'words that nobody knows',
      { 'a.csv': `${good}\n日本 語,question\n` },
      {},
      /warning: \d+ of \d+ tokens are words that the tokenizer does not know/,
    ],
    [
      'a long text',
      { 'a.csv': `${good}\n${'the soup '.repeat(50)},complaint\n` },
      {},
      /warning: a\.csv, row 6 is longer than 64 tokens: the model does not see its last 38/,
    ],
    [
      'a loose file',
      { 'x/1.txt': 'a', 'y/1.txt': 'b', '2.txt': 'c' },
      {},
      /error: 2\.txt is in no class/,
    ],
    [
      'an empty file',
      { 'x/1.txt': 'a', 'y/1.txt': 'b', 'y/2.txt': ' ' },
      {},
      /warning: y\/2\.txt: it is empty/,
    ],
  ])('names %s', async (_, files, options, message) => {
    expect(await wrong(files, options)).toContainEqual(expect.stringMatching(message));
  });

  it('is silent about good data', async () => {
    expect(await wrong({ 'a.csv': good })).toEqual([]);
  });

  it('names classes that only the held-out texts have', async () => {
    expect(await wrong({ 'a.csv': good }, {}, { 'b.csv': 'text,label\na,thanks\n' })).toContainEqual(
      expect.stringMatching(/held-out texts have a class "thanks"/),
    );
  });

  it('cuts a text of 100,000 characters, of one word or many', async () => {
    const rows = [
      ['"' + 'the soup '.repeat(11_112) + '"', 'complaint'],
      ['x'.repeat(100_000), 'question'],
    ];
    const prepared = await prepare({ 'a.csv': `${good}\n${csv(...rows)}` });
    expect(prepared.problems.filter((p) => p.severity === 'error')).toEqual([]);
    expect(prepared.problems[0]!.message).toMatch(/row 6 is longer than 64 tokens.*last 22162/);
  });

  it.each<[string, Some, Contents, RegExp]>([
    ['a length beyond the model’s', { length: 65 }, {}, /reads at most 64 tokens/],
    ['no tokenizer', {}, { 'tokenizer.json': '' }, /has no tokenizer\.json/],
    [
      'a broken tokenizer',
      {},
      { 'tokenizer.json': '{"model": ' },
      /tokenizer\.json begins as JSON, but is not whole/,
    ],
  ])('refuses %s', async (_, options, change, message) => {
    const files: Contents = {};
    for (const path of topics.paths)
      if (change[path] !== '') files[path] = change[path] ?? (await topics.read(path));
    await expect(
      prepare({ 'a.csv': good }, options, undefined, 0, memoryFiles(files, 'model')),
    ).rejects.toThrow(message);
  });

  it('meets fuzzed data sets without a crash', async () => {
    const opened = await task.open(
      topics,
      openWhole(topics),
      testJob('text-classification', {}, { data: { split: 0.2 } }),
    );
    let [fine, faulty] = [0, 0];
    const sets = depth(75, 300);
    for (let seed = 0; seed < sets; seed++) {
      const d = dice(seed);
      const cell = (): string =>
        d.pick([
          'the soup',
          'x',
          'y',
          'x',
          'y',
          '',
          '"',
          '0',
          '-1',
          '日本',
          'label',
          '{"a":1}',
          'a'.repeat(300),
          '\u0000',
        ]);
      const files: Contents = {};
      for (let i = d.whole(3); i >= 0; i--) {
        const mark = d.pick([',', ';', '\t', '|']);
        const rows = Array.from({ length: d.whole(12) }, (_, r) =>
          d.chance(0.8)
            ? [`text ${r} ${cell()}`, d.pick(['x', 'y'])]
            : Array.from({ length: 1 + d.whole(4) }, cell),
        );
        const table = [...(d.chance(0.8) ? [['text', 'label']] : []), ...rows]
          .map((row) => row.join(mark))
          .join('\n');
        const lines = rows
          .map(([text, label]) => JSON.stringify(d.chance(0.9) ? { text, label } : [text]))
          .join('\n');
        const kind = d.pick(['csv', 'csv', 'tsv', 'jsonl', 'json', 'txt']);
        const folder = d.pick(['', '', 'x/', 'y/', 'train/', 'val/', '.hidden/']);
        const text = kind.startsWith('json') ? lines : kind === 'txt' ? cell() : table;
        files[`${folder}${i}.${kind}`] = damaged(d, new TextEncoder().encode(text));
      }
      try {
        const prepared = await opened.prepare(memoryFiles(files), null, host);
        for (const p of prepared.problems) expect(p.message).not.toMatch(/undefined|\[object|NaN/);
        if (prepared.problems.some((p) => p.severity === 'error')) faulty++;
        else {
          fine++;
          const feeds = await prepared.feeds(0, 0);
          const { target } = feeds as { target: Float32Array };
          expect(target.every(Number.isFinite), `seed ${seed}`).toBe(true);
        }
      } catch (error) {
        expect(error, `seed ${seed}`).toBeInstanceOf(DataError);
      }
    }
    expect(fine).toBeGreaterThan(sets / 30);
    expect(faulty).toBeGreaterThan(fine);
  });
});

describe('feeds', () => {
  it('follow from the step alone, are padded, masked and typed', async () => {
    const pairs = {
      'a.csv':
        'text,text_pair,label\nthe soup,was wonderful,x\nthe old tree,hello,y\nthe roses,we all loved the roses,x\nb,c,y\n',
    };
    const [a, b] = [await prepare(pairs), await prepare(pairs)];
    await a.feeds(0, 0);
    expect(await a.feeds(5, 0)).toEqual(await b.feeds(5, 0));
    expect(a.dataHash).toBe(b.dataHash);
    const feeds = (await a.feeds(0, 0)) as Record<string, Int32Array>;
    const length = feeds['input_ids']!.length / 4;
    expect(length % 8).toBe(0);
    for (let r = 0; r < 4; r++) {
      const part = (name: string) => Array.from(feeds[name]!.subarray(r * length, (r + 1) * length));
      const real = part('attention_mask').reduce((x, y) => x + y, 0);
      expect(part('input_ids')[0]).toBe(2);
      // [CLS] … [SEP] … [SEP], then padding.
      expect(part('input_ids').filter((id) => id === 3)).toHaveLength(2);
      expect(part('input_ids')[real - 1]).toBe(3);
      expect(
        part('input_ids')
          .slice(real)
          .every((id) => id === 0),
      ).toBe(true);
      expect(
        part('token_type_ids')
          .slice(part('input_ids').indexOf(3) + 1, real)
          .every((t) => t === 1),
      ).toBe(true);
      expect(
        part('token_type_ids')
          .slice(real)
          .every((t) => t === 0),
      ).toBe(true);
    }
  });

  it('keep the model’s head for its own classes, and hold out by class', async () => {
    const own = csv(
      ['text', 'label'],
      ...['food', 'music', 'garden'].flatMap((c) => [0, 1, 2, 3].map((i) => [`the ${c} ${i}`, c])),
    );
    const prepared = await prepare({ 'a.csv': own }, {}, undefined, 0.25);
    expect(prepared.training().whole).toEqual([]);
    expect(prepared.counts).toEqual({ train: 9, heldout: 3 });
    expect(prepared.classes).toEqual(['food', 'travel', 'garden', 'music']);
    const fresh = await prepare({ 'a.csv': own }, { head: 'new' });
    expect([fresh.training().whole, fresh.classes]).toEqual([
      ['net.classifier.weight', 'net.classifier.bias'],
      ['food', 'garden', 'music'],
    ]);
  });
});
