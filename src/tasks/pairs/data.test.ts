import { describe, expect, it } from 'vitest';
import { tensor } from '#src/onnx/tensor.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { writeSafetensors } from '#src/tasks/arrays/safetensors.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { plainPng, png, testHost } from '#src/tasks/images/testing/host.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { readPairs } from './data.ts';
import { task } from './task.ts';

type Contents = Record<string, Uint8Array | string>;
const repaint = diskFiles('public/models/repaint');

async function prepare(
  train: Contents,
  options: object = {},
  parts: Parameters<typeof testJob>[2] = {},
  model = repaint,
) {
  const opened = await task.open(model, openWhole(model), testJob('pairs', options, parts));
  return opened.prepare(memoryFiles(train, 'prints'), null, testHost());
}
const found = async (files: Contents) => {
  const problems: TaskProblem[] = [];
  return {
    pairs: await readPairs(memoryFiles(files, 'prints'), problems),
    messages: problems.map((p) => p.message),
  };
};

describe('pairs', () => {
  it.each<[string, Contents, [string, string][]]>([
    [
      'two folders',
      { 'input/1.png': '', 'input/2.jpg': '', 'target/1.png': '', 'target/2.webp': '' },
      [
        ['input/1.png', 'target/1.png'],
        ['input/2.jpg', 'target/2.webp'],
      ],
    ],
    [
      'folders below',
      { 'set/Before/a/1.png': '', 'set/After/a/1.png': '' },
      [['set/Before/a/1.png', 'set/After/a/1.png']],
    ],
    [
      'a table',
      { 'a.png': '', 'b.png': '', 'metadata.csv': 'input;target\na.png;b.png\n' },
      [['a.png', 'b.png']],
    ],
    [
      'JSON lines',
      { 'd/a.png': '', 'd/b.png': '', 'd/metadata.jsonl': '{"file_name":"a.png","target":"b.png"}' },
      [['d/a.png', 'd/b.png']],
    ],
  ])('come from %s', async (_, files, pairs) => {
    expect(await found(files)).toEqual({
      pairs: pairs.map(([input, target]) => ({ input, target })),
      messages: [],
    });
  });

  it.each<[string, Contents, RegExp]>([
    ['an empty folder', {}, /prints: nothing says which pictures are inputs/],
    ['one side only', { 'input/1.png': '' }, /prints: nothing says which pictures are wanted/],
    [
      'a lone image',
      { 'input/1.png': '', 'input/2.png': '', 'target/1.png': '' },
      /input\/2\.png has no wanted picture/,
    ],
    [
      'two of one name',
      { 'input/1.png': '', 'input/1.jpg': '', 'target/1.png': '' },
      /input\/1\.jpg and input\/1\.png have the same name/,
    ],
    [
      'a ragged row',
      { 'a.png': '', 'metadata.csv': 'input,target\na.png\n' },
      /metadata\.csv, row 2: it has 1 field/,
    ],
    [
      'a missing image',
      { 'a.png': '', 'metadata.csv': 'input,target\na.png,z.png\n' },
      /metadata\.csv, row 2: there is no image "z\.png"/,
    ],
    [
      'a missing column',
      { 'a.png': '', 'metadata.csv': 'input,colour\na.png,z\n' },
      /no column for the target; its columns are input, colour/,
    ],
  ])('name %s', async (_, files, message) => {
    expect((await found(files)).messages).toContainEqual(expect.stringMatching(message));
  });

  it('names an unreadable image', async () => {
    const { problems } = await prepare({ 'input/1.png': plainPng(1), 'target/1.png': '' });
    expect(problems.map((p) => p.message)).toContainEqual(
      expect.stringMatching(/target\/1\.png cannot be read as an image: it is empty/),
    );
  });
});

describe('feeds', () => {
  const gradient = png(16, 16, (x) => [x * 16, 0, 0]);
  const files = { 'input/1.png': gradient, 'target/1.png': gradient };

  it('hold input and target at the first picture’s size, from 0 to 1', async () => {
    const prepared = await prepare(files, {}, { train: { batch: 1 } });
    const { picture, target } = (await prepared.feeds(0, 0)) as Record<string, Float32Array>;
    expect(picture).toHaveLength(3 * 16 * 16);
    expect(picture!.slice(0, 16)).toEqual(Float32Array.from({ length: 16 }, (_, x) => (x * 16) / 255));
    expect(target).toEqual(picture);
  });

  it('mirror both or none', async () => {
    const prepared = await prepare(files, {}, { train: { batch: 1 }, data: { flip: true } });
    const starts = new Set<number>();
    for (let k = 0; k < 12; k++) {
      const { picture, target } = (await prepared.feeds(k, 0)) as Record<string, Float32Array>;
      expect(target).toEqual(picture);
      starts.add(Math.round(picture![0]! * 255));
    }
    expect([...starts].sort((a, b) => a - b)).toEqual([0, 240]);
  });

  it('are vectors where the data are arrays', async () => {
    const row = (n: number) =>
      tensor(
        'float32',
        [6, n],
        Array.from({ length: 6 * n }, (_, i) => i),
      );
    const arrays = {
      'd.safetensors': writeSafetensors(
        new Map([
          ['x', row(4)],
          ['y', row(2)],
        ]),
      ),
    };
    const prepared = await prepare(arrays, {}, {}, diskFiles('public/models/waves'));
    expect(prepared.problems).toEqual([]);
    expect(Object.keys(await prepared.feeds(0, 0)).sort()).toEqual(['target', 'x']);
  });
});

it('meets fuzzed data sets without a crash', async () => {
  const opened = await task.open(repaint, openWhole(repaint), testJob('pairs', {}, { data: { split: 0.3 } }));
  let [fine, faulty] = [0, 0];
  const sets = depth(75, 300);
  for (let seed = 0; seed < sets; seed++) {
    const d = dice(seed);
    const files: Contents = {};
    const harsh = d.chance(0.6);
    const bytes = (): Uint8Array => {
      const image = plainPng(d.whole(2 ** 24), 4 + d.whole(20), 4 + d.whole(20));
      return harsh ? damaged(d, image) : image;
    };
    for (let i = d.whole(6); i > 0; i--) {
      files[`input/${i}.png`] = bytes();
      if (!harsh || d.chance(0.9))
        files[`${harsh ? d.pick(['target', 'target', 'out']) : 'target'}/${i}.png`] = bytes();
    }
    if (harsh && d.chance(0.4)) {
      const cell = (): string => d.pick([...Object.keys(files), '', '"', 'input', '1.png']);
      const rows = Array.from({ length: d.whole(6) }, () =>
        Array.from({ length: 1 + d.whole(3) }, cell).join(','),
      );
      files[d.pick(['metadata.csv', 'metadata.jsonl', 'x.npz'])] = damaged(
        d,
        new TextEncoder().encode(['input,target', ...rows].join('\n')),
      );
    }
    const prepared = await opened.prepare(memoryFiles(files), null, testHost());
    for (const p of prepared.problems) expect(p.message).not.toMatch(/undefined|\[object/);
    if (prepared.problems.some((p) => p.severity === 'error')) faulty++;
    else {
      fine++;
      const feeds = await prepared.feeds(0, 0);
      expect(Object.values(feeds).every((t) => Array.from(t as Float32Array).every(Number.isFinite))).toBe(
        true,
      );
    }
  }
  expect(fine).toBeGreaterThan(sets / 10);
  expect(faulty).toBeGreaterThan(0.3 * sets);
});
