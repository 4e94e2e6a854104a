import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { JobError } from '../errors.ts';
import { defaultJob, jobFromTable, jobToTable, parseJob } from './job.ts';
import { printJob } from './printJob.ts';
import type { Job } from './jobTypes.ts';
import { lineOf } from '../files/toml.ts';
import { editDistance, nearest } from '../nearest.ts';

const publicFile = (path: string): string =>
  readFileSync(new URL(`../../../public/${path}`, import.meta.url), 'utf8');

describe('the built-in job', () => {
  it('is what an empty file means', () => {
    expect(parseJob('')).toEqual(defaultJob);
  });

  it('draws only names that the tokenizer knows and the training images leave out', () => {
    const { model } = JSON.parse(publicFile('models/emoji/tokenizer/tokenizer.json')) as {
      model: { vocab: Record<string, number> };
    };
    const files = (JSON.parse(publicFile('data/riso/files.json')) as { files: { path: string }[] }).files.map(
      (f) => f.path,
    );
    for (const prompt of defaultJob.sample.prompts) {
      for (const word of prompt.split(' ')) expect(model.vocab).toHaveProperty(word);
      expect(files).toContain(`heldout/${prompt.replaceAll(' ', '-')}.png`);
      expect(files).not.toContain(`train/${prompt.replaceAll(' ', '-')}.png`);
    }
  });
});

const full: Job = {
  ...defaultJob,
  model: '../my model',
  adapter: 'before.safetensors',
  data: { train: 'pictures', heldout: null, split: 0.25, captionDropout: 0, flip: true },
  train: { ...defaultJob.train, betas: [0.8, 0.95], eps: 1e-6, seed: 4_294_967_295, schedule: 'linear' },
  plan: {
    ...defaultSettings,
    blocks: { count: 4 },
    constraint: 0.05,
    rescale: true,
    lrScale: 0.5,
    rules: [
      { match: { kind: 'conv', kernel: 3, out: '>=320' }, blocks: { size: 32 }, lrScale: 2 },
      { match: { name: '*time_embedding*' }, skip: true },
      { match: {}, blocks: { dim: -1 } },
    ],
  },
  sample: { ...defaultJob.sample, prompts: ['a "quoted" 🐈', ''], negative: 'x\ny' },
};

describe('parseJob and printJob', () => {
  it.each([
    ['the default', defaultJob],
    ['one with everything set', full],
  ])('round trip %s', (_, job) => {
    expect(parseJob(printJob(job))).toEqual(job);
  });

  it('round trip any numbers and texts', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-12, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        (learningRate, steps, negative) => {
          const job = {
            ...full,
            train: { ...full.train, learningRate, steps },
            sample: { ...full.sample, negative },
          };
          expect(parseJob(printJob(job))).toEqual(job);
        },
      ),
    );
  });

  it('takes what is given and leaves the rest as in the demo', () => {
    const job = parseJob('[train]\nlearning_rate = 1e-3\nsteps = 30\n[data]\ntrain = "cats"');
    expect(job.train).toEqual({ ...defaultJob.train, learningRate: 1e-3, steps: 30, warmup: 5 });
    expect(job.data).toEqual({ ...defaultJob.data, train: 'cats', heldout: null });
    expect(job.sample).toEqual(defaultJob.sample);
  });

  it.each<[string, string, string, number?]>([
    ['[train]\nlearning_rat = 1', 'train.learning_rat is not a known key. Did you mean learning_rate?', 'train.learning_rat'],
    ['[train]\nlearningRate = 1', 'train.learningRate is not a known key. Did you mean learning_rate?', 'train.learningRate'],
    ['[trian]\nsteps = 1', 'trian is not a known key. Did you mean train?', 'trian', 1],
    ['[sample]\nxyzzyplugh = 1', 'sample.xyzzyplugh is not a known key. Known here: prompts, negative, steps, guidance, seed, every, share.', 'sample.xyzzyplugh'],
    ['[train]\nsteps = 0', 'train.steps is 0; allowed: a whole number from 1 to 1000000.', 'train.steps'],
    ['[train]\nsteps = 1.5', 'train.steps is 1.5; allowed: a whole number from 1 to 1000000.', 'train.steps'],
    ['[train]\nlearning_rate = "fast"', 'train.learning_rate is "fast"; allowed: a positive number up to 1.', 'train.learning_rate'],
    ['[train]\nlearning_rate = nan', 'train.learning_rate is NaN; allowed: a positive number up to 1.', 'train.learning_rate'],
    ['[train]\nschedule = "cosin"', 'train.schedule is "cosin"; allowed: "constant" or "linear" or "cosine".', 'train.schedule'],
    ['[train]\nbetas = [0.9]', 'train.betas is [0.9]; allowed: two numbers from 0 to below 1, such as [0.9, 0.99].', 'train.betas'],
    ['train = 3', 'train is 3; allowed: a table.', 'train'],
    ['version = 2', 'version is 2; allowed: 1.', 'version'],
    ['model = ""', 'model is ""; allowed: a folder, or a built-in one such as "builtin:emoji".', 'model'],
    ['[data]\ncaption_dropout = 10', 'data.caption_dropout is 10; allowed: a number from 0 to 1.', 'data.caption_dropout'],
    ['adapter = 3', 'adapter is 3; allowed: an adapter file or folder.', 'adapter'],
    ['[plan]\nblocks = { dims = 4 }', 'plan.blocks.dims is not a known key. Did you mean dim?', 'plan.blocks.dims'],
    ['[plan]\nblocks = 4', 'plan.blocks is 4; allowed: a table.', 'plan.blocks'],
    ['[plan]\nside = "input"\nalgorithm = "boft"', 'plan.side is "input", but algorithm is "boft", which turns outputs only. Set side = "output", or algorithm = "diag-oft".', 'plan.side', 2],
    ['[[plan.rule]]\nmatch = { kernal = 3 }', 'plan.rule 1: match.kernal is not a known key. Did you mean kernel?', 'plan.rule.0.match.kernal'],
    ['[[plan.rule]]\nskip = true', 'plan.rule 1: match is missing; allowed: a table.', 'plan.rule.0.match', 1],
  ])('refuses %j', (toml, message, key, on = toml.split('\n').length) => {
    let error: unknown;
    try {
      parseJob(toml);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(JobError);
    const [, line, rest] = /^Line (\d+): (.*)$/.exec((error as JobError).message)!;
    expect(rest).toBe(message);
    expect(line).toBe(String(on));
    expect((error as JobError).key).toBe(key);
  }); // prettier-ignore

  it('takes the example’s prompts only with its model and data', () => {
    const prompts = (toml: string) => parseJob(`task = "language"\n${toml}`).sample.prompts;
    expect(prompts('')).toEqual(['the small cat', 'a robot']);
    expect(prompts('model = "my-gpt"')).toEqual([]);
    expect(prompts('[data]\ntrain = "mine"')).toEqual([]);
    expect(prompts('model = "my-gpt"\n[sample]\nprompts = ["x"]')).toEqual(['x']);
    expect(parseJob('task = "language"\nmodel = "my-gpt"').sample.every).toBe(20);
  });

  it('says on which line a key stands', () => {
    const toml = [
      '# a job',
      'task = "pairs"',
      'train.batch = 2',
      '[data]',
      'split = 0.5',
      '',
      '[[plan.rule]]',
      'match = { kind = "conv" }',
      'skip = true',
      '[[plan.rule]]',
      'match = { kind = "linear" }',
      "'lr_scale' = 2",
      '[plan.rule.blocks]',
      'size = 4',
    ].join('\n');
    const lines = (keys: string[]) => keys.map((key) => lineOf(toml, key));
    expect(lines(['task', 'train.batch', 'data.split', 'data', 'data.flip'])).toEqual([2, 3, 5, 4, 4]);
    expect(lines(['plan.rule.0.match.kind', 'plan.rule.1', 'plan.rule.1.lr_scale'])).toEqual([8, 10, 12]);
    expect(lines(['sample', 'plan'])).toEqual([undefined, undefined]);
  });

  it('says in one line where a file is not TOML', () => {
    expect(() => parseJob('[train]\nsteps = = 3')).toThrow(/^Line 2, column \d+ is not TOML: [^\n]+\.$/);
    expect(() => parseJob('[train]\nsteps = 1\nsteps = 2')).toThrow(JobError);
  });

  it('meets any text with a job or a JobError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((s) => `train = ${s}`),
        ),
        (toml) => {
          try {
            parseJob(toml);
          } catch (error) {
            expect(error).toBeInstanceOf(JobError);
          }
        },
      ),
    );
  });
});

describe('nearest', () => {
  it('counts edits', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('same', 'same')).toBe(0);
  });

  it('finds slips and gives up on other words', () => {
    expect(nearest('warm-up', ['warmup', 'steps'])).toBe('warmup');
    expect(nearest('qqqq', ['warmup', 'steps'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});

describe('rounding', () => {
  it('is dropped where nothing is said, and kept where it is asked for', () => {
    expect(parseJob('').rounding).toBeUndefined();
    expect(parseJob('rounding = "drop"').rounding).toBeUndefined();
    const kept = parseJob('rounding = "keep"');
    expect(kept.rounding).toBe('keep');
    expect(jobFromTable(jobToTable(kept))).toEqual(kept);
    expect(() => parseJob('rounding = "maybe"')).toThrow(/rounding.*drop.*keep/);
  });
});
