/** @file A model that knows its rows by heart answers every learned prompt: samples are asked as the data ask. */
import { describe, expect, it } from 'vitest';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import type { Adapted, PreparedTask, TaskHost } from '#src/tasks/types.ts';
import { scoring } from './testing/scoring.ts';
import { task } from './task.ts';

const stories = diskFiles('public/models/stories');
const host: TaskHost = {
  backend: 'wasm',
  frozen: () => () => Promise.reject(new Error('nothing runs here')),
  decodeImage: () => Promise.reject(new Error('no pictures here')),
};
const template =
  "{% for m in messages %}{{ '<' + m.role + '> ' + m.content + ' </' + m.role + '> ' }}{% endfor %}{% if add_generation_prompt %}{{ '<assistant> ' }}{% endif %}";
const withTemplate: FileSet = {
  ...stories,
  paths: [...stories.paths, 'chat_template.jinja'],
  read: (path, ...range) =>
    path === 'chat_template.jinja'
      ? Promise.resolve(new TextEncoder().encode(template))
      : stories.read(path, ...range),
  size: (path) => (path === 'chat_template.jinja' ? Promise.resolve(template.length) : stories.size(path)),
};

async function prepared(
  lines: readonly object[],
  options: object,
  prompts: readonly string[],
  model = stories,
) {
  const job = testJob(
    'language',
    { newTokens: 24, ...options },
    { train: { batch: 1 }, sample: { prompts } },
  );
  const opened = await task.open(model, openWhole(model), job);
  const train = memoryFiles({ 'a.jsonl': lines.map((line) => JSON.stringify(line)).join('\n') });
  return { opened, data: await opened.prepare(train, null, host) };
}

/** Likes the token that is learned after a window, if one is; else the first. */
async function byHeart(data: PreparedTask, rows: number): Promise<Adapted> {
  const known = new Map<string, number>();
  for (let step = 0; step < rows; step++) {
    const feeds = await data.feeds(step, 0);
    const [ids, next] = ['input_ids', 'next_tokens'].map((name) =>
      [...(feeds[name] as Int32Array)].map(Number),
    );
    (feeds['counted'] as Float32Array).forEach((c, i) => {
      if (c > 0) known.set(ids!.slice(0, i + 1).join(), next![i]!);
    });
  }
  return scoring((text, words) => {
    const out = new Float32Array(words);
    out[known.get(text.join()) ?? 0] = 9;
    return out;
  });
}

const pairs = [
  ['the cat', ' found a map'],
  // One token reaches over the join.
  ['the cat: ', 'a lamp'],
  ['the d', 'ragon sat'],
  ['the robot\n', '\nis small'],
] as const;
const rows = (kind: string) =>
  pairs.map(([prompt, completion]) =>
    kind === 'messages'
      ? {
          messages: [
            { role: 'user', content: prompt },
            { role: 'assistant', content: completion },
          ],
        }
      : { prompt, completion },
  );
const answers = (data: PreparedTask) =>
  byHeart(data, pairs.length)
    .then((model) => data.samples(model, host, () => undefined))
    .then(({ texts }) => texts);

describe.each<[string, string, object, FileSet, RegExp]>([
  [
    'prompts with completions are one text',
    'pairs',
    {},
    stories,
    /^none: prompt and completion are one text$/,
  ],
  ['messages without a template', 'messages', {}, stories, /^“user: …”, “assistant: …”, a line each/],
  ['messages that the job wants bare', 'messages', { frame: 'none' }, stories, /^none: prompt/],
  [
    'a frame of the job’s own',
    'pairs',
    { frame: 'q: {prompt}\\na: {completion}\\n' },
    stories,
    /^“q: \{prompt\}\\na: /,
  ],
  [
    'a frame without an end, around messages',
    'messages',
    { frame: '{prompt} > ' },
    stories,
    /^“\{prompt\} > ”$/,
  ],
  ['the model’s template', 'pairs', {}, withTemplate, /^the model’s chat template$/],
  ['none in spite of the template', 'pairs', { frame: 'none' }, withTemplate, /^none: prompt/],
])('%s', (_, kind, options, model, frame) => {
  it.each([
    ['from the job', pairs.map(([prompt]) => prompt)],
    ['from the data', []],
  ])('samples %s are answered', async (__, prompts) => {
    const { data } = await prepared(rows(kind), { packing: false, ...options }, prompts, model);
    expect(data.problems).toEqual([]);
    expect(data.preview.facts.find((f) => f.label === 'Frame')!.value).toMatch(frame);
    const wanted = pairs.slice(0, prompts.length || 3).map(([, completion]) => completion.trim());
    expect((await answers(data))!.map((text) => text.trim().replace(/ assistant$/, ''))).toEqual(wanted);
  });
});

it('texts without prompts are gone on with', async () => {
  const { data } = await prepared(
    [{ text: 'the small cat found a map' }],
    { packing: false },
    ['the small cat'],
    withTemplate,
  );
  expect(data.preview.facts.find((f) => f.label === 'Frame')!.value).toBe('none: texts as they are');
  expect(await answers(data)).toEqual([' found a map']);
});

it('after the run, too', async () => {
  const { data, opened } = await prepared(rows('messages'), { packing: false }, []);
  const wish = { prompts: ['the d'], negative: '', steps: 1, guidance: 1, seed: 0 };
  const { texts } = await opened.sample!(wish, await byHeart(data, pairs.length), host, () => undefined);
  expect(texts!.map((text) => text.trim())).toEqual(['ragon sat']);
});

it('samples of which the model sees the end only are named', async () => {
  const { data } = await prepared([{ text: 'the cat' }], { length: 8 }, [
    'the cat found a map of the hill and the lamp',
  ]);
  expect(data.problems.map((p) => [p.severity, p.message])).toEqual([
    ['warning', expect.stringMatching(/^A sample has more than 8 tokens: the model sees the last 8 of/)],
  ]);
});

describe('the length of rows', () => {
  const length = async (texts: readonly string[], options: object, memory?: TaskHost['memory']) => {
    const job = testJob('language', { packing: false, ...options }, { train: { batch: 2 } });
    const opened = await task.open(stories, openWhole(stories), job);
    const train = memoryFiles({ 'a.jsonl': texts.map((text) => JSON.stringify({ text })).join('\n') });
    const data = await opened.prepare(train, null, { ...host, ...(memory && { memory }) });
    return Number(/of (\d+) tokens/.exec(data.preview.facts.find((f) => f.label === 'Sequences')!.value)![1]);
  };
  const long = 'the cat found a map. '.repeat(40);
  it('is what the longest text needs, up to what the model has positions for', async () => {
    expect(await length(['the cat', 'the cat found a map'], {})).toBe(8);
    expect(await length([long], {})).toBe(64);
    expect(await length(['the cat'], { length: 40 })).toBe(40);
  });
  it('and what the memory holds, but not below 64', async () => {
    expect(await length([long], {}, { bytes: 1, largest: null })).toBe(64);
  });
});
