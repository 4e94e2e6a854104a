/** @file Texts as people have them: good ones, bad ones, chats by template, and damaged ones. */
import { describe, expect, it, test } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { DataError } from '#src/tasks/files.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import type { Adapted, PreparedTask, TaskHost } from '#src/tasks/types.ts';
import { ChatTemplate } from './chat.ts';
import { Framing } from './frame.ts';
import { readDocuments } from './data.ts';
import { nextToken } from './generate.ts';
import { rowsOf } from './sequences.ts';
import { turnsOf } from './windows.ts';
import { task } from './task.ts';

const utf8 = new TextEncoder();
const setOf = (files: Readonly<Record<string, string | Uint8Array>>): FileSet => {
  const bytes = new Map(
    Object.entries(files).map(([p, c]) => [p, typeof c === 'string' ? utf8.encode(c) : c]),
  );
  return {
    name: 'texts',
    paths: [...bytes.keys()].sort(),
    size: (path) => Promise.resolve(bytes.get(path)!.byteLength),
    read: (path, offset = 0, length) =>
      Promise.resolve(bytes.get(path)!.slice(offset, length === undefined ? undefined : offset + length)),
  };
};
const read = (files: Readonly<Record<string, string | Uint8Array>>, column = '', frame = 'auto') =>
  readDocuments(setOf(files), { column, framing: new Framing(new ChatTemplate(null), frame) });
const texts = async (files: Readonly<Record<string, string>>, column?: string) =>
  (await read(files, column)).documents.map((d) => d.pieces.map((p) => p.text).join('|'));

describe('texts', () => {
  it('of text files, tables and JSON lines', async () => {
    expect(
      await texts({
        'a.txt': '\uFEFFone\ntwo\n',
        'b.csv': 'id,text\n1,"a ""quoted""\nline"\n',
        'c.tsv': 'text\tid\nx\t1\n',
      }),
    ).toEqual(['one\ntwo', 'a "quoted"\nline', 'x']);
    expect(await texts({ 'a.jsonl': '{"text": "x"}\n\n"plain"\n', 'b.json': '[{"story": "y"}]' })).toEqual([
      'x',
      'plain',
      'y',
    ]);
    expect(await texts({ 'a.csv': 'note;id\nhello, you;1\n' }, 'note')).toEqual(['hello, you']);
  });

  it('of prompts with answers, and of chats', async () => {
    const { documents } = await read({
      'a.jsonl':
        '{"prompt": "2+2?", "completion": "4"}\n{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}\n{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}',
    });
    expect(documents.map((d) => d.pieces)).toEqual([
      [
        { text: '2+2?', counted: false },
        { text: '4', counted: true },
      ],
      [
        { text: 'user: hi\nassistant: ', counted: false },
        { text: 'yo\n', counted: true },
      ],
      [
        { text: 'user: a\nassistant: ', counted: false },
        { text: 'b\n', counted: true },
      ],
    ]);
  });

  it('of chats as services write them: parts, calls of tools, prompts and completions of messages', async () => {
    const { documents, problems } = await read({
      'a.jsonl': [
        {
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: 'a' },
                { type: 'text', text: 'b' },
              ],
            },
            { role: 'assistant', content: null, tool_calls: [] },
            { role: 'assistant', content: 'c' },
          ],
        },
        { prompt: [{ role: 'user', content: 'x' }], completion: [{ role: 'assistant', content: 'y' }] },
        { prompt: 'x', completion: [{ role: 'assistant', content: 'y' }] },
      ]
        .map((row) => JSON.stringify(row))
        .join('\n'),
    });
    expect(problems).toEqual([]);
    expect(documents.map((d) => d.pieces.map((p) => `${p.counted ? '+' : '-'}${p.text}`))).toEqual([
      ['-user: ab\nassistant: ', '+\n', '-assistant: ', '+c\n'],
      ['-user: x\nassistant: ', '+y\n'],
      ['-user: x\nassistant: ', '+y\n'],
    ]);
  });

  it.each<[string, Record<string, string | Uint8Array>, RegExp]>([
    ['an empty folder', {}, /texts: it holds no text/],
    ['an empty file', { 'a.txt': ' \n' }, /a\.txt: it is empty/],
    ['bytes that are no text', { 'a.txt': Uint8Array.of(0xff, 0xfe, 0, 1) }, /a\.txt: it is not UTF-8/],
    ['a line that is no JSON', { 'a.jsonl': '{"text": "x"}\n{"text": ' }, /a\.jsonl, line 2: it is not JSON/],
    [
      'a line without a text',
      { 'a.jsonl': '{"name": "x"}' },
      /line 1: it has no text, messages.*it has name/,
    ],
    [
      'a chat that is none',
      { 'a.jsonl': '{"messages": [{"who": "me"}]}' },
      /its "messages" is no list of messages/,
    ],
    ['ragged rows', { 'a.csv': 'text,id\nx,1\ny\n' }, /a\.csv, line 3: it has 1 field, the header has 2/],
    [
      'no such column',
      { 'a.csv': 'a,b\n1,2\n' },
      /no column text, nor prompt and completion; its columns are a, b/,
    ],
    [
      'a prompt of something else',
      { 'a.jsonl': '{"prompt": [1], "completion": "x"}' },
      /its "prompt" is no list/,
    ],
    ['an empty answer', { 'a.jsonl': '{"prompt": "x", "completion": ""}' }, /line 1: it is empty/],
  ])('%s is named', async (_, files, message) => {
    expect((await read(files)).problems.map((p) => p.message).join('\n')).toMatch(message);
  });
});

describe('chats', () => {
  const template =
    '{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';
  it('learn the answers, each with its end', () => {
    const pieces = new ChatTemplate(template, { bos_token: '<s>', eos_token: '</s>' }).pieces(
      [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
        { role: 'assistant', content: 'd' },
      ],
      false,
    );
    expect(pieces).toEqual([
      { text: '<s><|system|>be kind</s><|user|>a</s><|assistant|>', counted: false },
      { text: 'b</s>', counted: true },
      { text: '<|user|>c</s><|assistant|>', counted: false },
      { text: 'd</s>', counted: true },
    ]);
  });
  it('that the template refuses are told of', async () => {
    const refusing = new Framing(new ChatTemplate("{{ raise_exception('no system messages') }}"));
    const { problems } = await readDocuments(setOf({ 'a.jsonl': '{"prompt": "x", "completion": "y"}' }), {
      column: '',
      framing: refusing,
    });
    expect(problems[0]!.message).toMatch(
      /line 1: the model's chat template refuses it \(.*no system messages/,
    );
  });
});

describe('rows', () => {
  const text = (ids: number[], from = 0) => ({
    ids,
    counted: ids.map((_, i) => i >= from),
    turns: null,
    begins: false,
    joined: [],
  });
  const cut = async (...given: Parameters<typeof rowsOf>) => (await rowsOf(...given)).rows;
  it('predict the next token of the whole text, across rows', async () => {
    const rows = await cut([text([1, 2, 3, 4, 5, 6])], 4, false, 9);
    expect(rows.map((r) => [[...r.ids], [...r.next], [...r.counted], r.real])).toEqual([
      [[1, 2, 3, 4], [2, 3, 4, 5], [1, 1, 1, 1], 4],
      [[5, 6, 9, 9], [6, 0, 0, 0], [1, 0, 0, 0], 2],
    ]);
  });
  it('learn only what counts, and leave out rows that only ask', async () => {
    const asked = (ids: number[], from: number) => ({
      ...text(ids, from),
      turns: turnsOf(
        ids.map((_, i) => i >= from),
        ids.map((_, i) => i >= from),
      ),
    });
    const rows = await cut([asked([1, 2, 3, 4, 5, 6], 4), asked([7, 8], 9)], 3, false, 0);
    // The question is cut from the left, never the answer from its question.
    expect(rows.map((r) => [[...r.ids], [...r.next], [...r.counted]])).toEqual([
      [
        [3, 4, 5],
        [4, 5, 6],
        [0, 1, 1],
      ],
    ]);
  });
  it('put together go on one after the other, and only what was given is not learned', async () => {
    const rows = await cut([text([1, 2]), text([3, 4, 5], 1), text([6, 7])], 4, true, 0);
    expect(rows.map((r) => [[...r.ids], [...r.next], [...r.counted], r.real])).toEqual([
      [[1, 2, 3, 4], [2, 3, 4, 5], [1, 0, 1, 1], 4],
      [[5, 6, 7, 0], [6, 7, 0, 0], [1, 1, 0, 0], 3],
    ]);
  });
});

describe('the next token', () => {
  const scores = Float32Array.of(0, 2, 1, -1);
  it('is the likeliest, or drawn from the likeliest ones', () => {
    expect(nextToken(scores, 0, 1, 0.99)).toBe(1);
    expect(nextToken(scores, 1, 1e-6, 0.99)).toBe(1);
    // Shares: 0.64, 0.24, 0.087, 0.032.
    expect([0, 0.63, 0.66, 0.87, 0.89, 0.98].map((u) => nextToken(scores, 1, 1, u))).toEqual([
      1, 1, 2, 2, 0, 3,
    ]);
    expect([0.7, 0.99].map((u) => nextToken(scores, 1, 0.8, u))).toEqual([1, 2]);
  });
});

const model = diskFiles('public/models/stories');
const nothing: TaskHost = {
  backend: 'wasm',
  frozen: () => () => Promise.reject(new Error('nothing runs here')),
  decodeImage: () => Promise.reject(new Error('no pictures here')),
};
const prepared = async (
  files: Readonly<Record<string, string | Uint8Array>>,
  options: object = {},
): Promise<PreparedTask> => {
  const opened = await task.open(
    model,
    openWhole(model),
    testJob('language', { length: 32, ...options }, { train: { batch: 2 } }),
  );
  return opened.prepare(setOf(files), null, nothing);
};

describe('prepared', () => {
  it('reads a text of 100,000 characters, and says what it came to', async () => {
    const { problems, preview, counts } = await prepared({ 'a.txt': 'the cat found a map. '.repeat(5000) });
    expect(problems).toEqual([]);
    expect(counts.train).toBe(1);
    expect(preview.facts.find((f) => f.label === 'Sequences')!.value).toMatch(/^\d{3,} of 32 tokens$/);
  });
  it('holds texts out by the seed, none of them trained on, the same ones each time', async () => {
    const lines = Array.from({ length: 10 }, (_, i) =>
      JSON.stringify({ text: `the cat ${'found '.repeat(i + 1)}` }),
    );
    const half = async (seed: number) => {
      const job = testJob('language', { length: 32 }, { data: { split: 0.3 }, train: { batch: 2, seed } });
      const opened = await task.open(model, openWhole(model), job);
      return opened.prepare(setOf({ 'a.jsonl': lines.join('\n') }), null, nothing);
    };
    const [first, again, other] = [await half(1), await half(1), await half(2)];
    expect(first.counts).toEqual({ train: 7, heldout: 3 });
    expect(again.dataHash).toBe(first.dataHash);
    expect(other.dataHash).not.toBe(first.dataHash);
  });
  it('names twins and data that leave nothing to learn', async () => {
    expect((await prepared({ 'a.txt': 'the cat', 'b.txt': 'the cat' })).problems[0]!.message).toMatch(
      /b\.txt is the same text as a\.txt/,
    );
    const nothing = await prepared({ 'a.jsonl': '{"messages": [{"role": "user", "content": "hi"}]}' });
    expect(nothing.problems.map((p) => p.message).join()).toMatch(/leaves nothing to learn/);
  });
  it('names samples that the tokenizer does not take, before anything runs', async () => {
    const words = {
      model: { type: 'WordLevel', vocab: { the: 0, cat: 1, '</s>': 2 } },
      normalizer: null,
      post_processor: null,
      decoder: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      added_tokens: [],
    };
    const own: FileSet = {
      ...model,
      read: (path, ...range) =>
        path === 'tokenizer.json'
          ? Promise.resolve(utf8.encode(JSON.stringify(words)))
          : path === 'tokenizer_config.json'
            ? Promise.resolve(utf8.encode('{}'))
            : model.read(path, ...range),
    };
    const job = testJob('language', { length: 8 }, { sample: { prompts: ['the cat', 'the dog'] } });
    const { problems } = await (
      await task.open(own, openWhole(model), job)
    ).prepare(setOf({ 'a.txt': 'the cat' }), null, nothing);
    expect(problems.filter((p) => p.severity === 'error').map((p) => p.message)).toEqual([
      expect.stringMatching(/^The sample "the dog" cannot be read: .*does not know/),
    ]);
  });
  it.each<[object, RegExp]>([[{ length: 100 }, /reads at most 64 tokens/]])(
    '%o is refused',
    async (options, message) => {
      await expect(prepared({ 'a.txt': 'x' }, options)).rejects.toThrow(message);
    },
  );
});

test('perplexity weighs every held-out token alike, whatever row or batch it is in', async () => {
  const opened = await task.open(
    model,
    openWhole(model),
    testJob('language', { length: 8, packing: false }, { train: { batch: 2 } }),
  );
  const heldout = setOf({
    'a.txt': 'the cat',
    'b.txt': 'the small cat found a map of the hill',
    'c.jsonl': '{"prompt": "the cat", "completion": " a map"}',
  });
  const prepared = await opened.prepare(setOf({ 'x.txt': 'the cat found a map' }), heldout, nothing);
  expect(prepared.problems).toEqual([]);
  // A model whose −ln p of a token is a hundredth of its id.
  let [sum, count] = [0, 0];
  const adapted: Adapted = {
    run: (_, graph) => {
      const output = graph.outputs[0]!.name;
      return Promise.resolve((feeds) => {
        const next = [...(feeds['next_tokens'] as Int32Array)];
        const counted = feeds['counted'] as Float32Array;
        const part = next.reduce((n, id, i) => n + (counted[i]! * id) / 100, 0);
        [sum, count] = [sum + part, count + counted.reduce((a, b) => a + b, 0)];
        return Promise.resolve({ [output]: Float32Array.of(part) });
      });
    },
  };
  const { loss, metrics } = await prepared.evaluate(adapted, nothing, () => undefined);
  const tokens = await TextTokens.read(model, 'model.onnx');
  const end = tokens.end!;
  const before = tokens.start === null ? [] : [tokens.start];
  const text = (words: string) => [...before, ...tokens.encode(words), end].slice(1);
  const learned = [
    ...text('the cat'),
    ...text('the small cat found a map of the hill'),
    // The answer's first token begins with the space before it.
    ...tokens.encode(' a map'),
    end,
  ];
  expect(count).toBe(learned.length);
  expect(loss).toBeCloseTo(learned.reduce((a, b) => a + b, 0) / 100 / learned.length, 5);
  expect(metrics[0]!.value).toBeCloseTo(Math.exp(loss!), 6);
  expect(loss).toBeCloseTo(sum / count, 6);
});

test('damaged sets are listed or refused, never a crash', { timeout: 120_000 }, async () => {
  const good = utf8.encode(
    '{"text": "the cat found a map"}\n{"prompt": "a", "completion": "b"}\n{"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}\n',
  );
  const table = utf8.encode('prompt;completion\nthe cat;a map\n"the; hill";"a ""robot"""\n');
  const opened = await Promise.all(
    [true, false].map((packing) =>
      task.open(
        model,
        openWhole(model),
        testJob('language', { length: 32, packing }, { train: { batch: 2 } }),
      ),
    ),
  );
  let [fine, faulty] = [0, 0];
  const sets = depth(75, 300);
  for (let seed = 0; seed < sets; seed++) {
    const d = dice(seed);
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < 1 + d.whole(3); i++) {
      const kind = d.pick(['txt', 'jsonl', 'json', 'csv', 'tsv', 'md']);
      files[`${i}.${kind}`] = damaged(d, d.chance(0.2) || kind === 'csv' ? table : good);
    }
    try {
      const { problems, counts, feeds } = await d.pick(opened).prepare(setOf(files), null, nothing);
      for (const { message, item } of problems) expect(message).toContain(item.replace(/,.*/, ''));
      if (problems.some((p) => p.severity === 'error')) faulty++;
      else {
        fine++;
        expect(counts.train, `seed ${seed}`).toBeGreaterThan(0);
        expect(feeds, `seed ${seed}`).toBeDefined();
      }
    } catch (error) {
      expect(error, `seed ${seed}`).toBeInstanceOf(DataError);
      faulty++;
    }
  }
  expect(fine).toBeGreaterThan(sets / 5);
  expect(faulty).toBeGreaterThan(sets / 5);
});
