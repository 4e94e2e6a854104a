import { expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { plainPng, testHost } from '../images/testing/host.ts';
import { damaged, dice, type Dice } from '../testing/fuzz.ts';
import { testJob } from '../testing/job.ts';
import { openWhole } from '../testing/trainTask.ts';
import type { TaskHost } from '../types.ts';
import { task } from './task.ts';
import { diskFiles, memoryFiles } from './testing/diskFiles.ts';

const model = diskFiles('e2e/golden/tiny-sd');

/** Decodes PNGs; networks answer ones. */
const host: TaskHost = {
  ...testHost(),
  frozen: (_, __, graph) => {
    const { outputs } = graph();
    const made = outputs.map(
      (o) => [o.name, new Float32Array(o.shape.reduce((a, b) => a * b, 1)).fill(1)] as const,
    );
    return () => Promise.resolve(Object.fromEntries(made));
  },
};

const utf16 = (text: string): Uint8Array =>
  new Uint8Array(Uint16Array.from(`\uFEFF${text}`, (c) => c.charCodeAt(0)).buffer);

/** Images in folders of all habits, captions of all kinds beside and in tables; most of it damaged or not. */
function folder(d: Dice): Record<string, Uint8Array | string> {
  const files: Record<string, Uint8Array | string> = {};
  const harsh = d.chance(0.7);
  const spoiled = (bytes: Uint8Array): Uint8Array => (harsh ? damaged(d, bytes) : bytes);
  const encode = (text: string): Uint8Array => (d.chance(0.2) ? utf16(text) : new TextEncoder().encode(text));
  const words = (): string =>
    d.pick([
      'a cat',
      '',
      'x'.repeat(3000),
      'größe, 猫',
      'a "quoted", word',
      '\u0000',
      'NaN',
      '{"a":1}',
      'null',
    ]);
  for (let i = d.whole(8); i > 0; i--) {
    const where = d.pick(['', '', '10_red robot/', '0_none/', 'train/a/', '.hidden/', '__MACOSX/']);
    const stem = `${where}${d.pick(['cat', 'IMG_0001', 'ä ö', `${i}`, 'x'.repeat(200)])}${i}`;
    files[`${stem}.${d.pick(['png', 'png', 'PNG', harsh ? 'jpg' : 'png', harsh ? 'svg' : 'png'])}`] = spoiled(
      plainPng(d.whole(2 ** 24), 1 + d.whole(40), 1 + d.whole(40)),
    );
    if (d.chance(0.4)) files[`${stem}.${d.pick(['txt', 'caption'])}`] = spoiled(encode(words()));
  }
  if (harsh && d.chance(0.5)) {
    const cell = (): string =>
      d.pick([...Object.keys(files), words(), '', '"', 'file_name', 'text', '../x.png']);
    const mark = d.pick([',', ';', '\t', '|']);
    const rows = Array.from({ length: d.whole(9) }, () =>
      Array.from({ length: 1 + d.whole(3) }, cell).join(mark),
    );
    const lines = Array.from({ length: d.whole(5) }, () =>
      d.pick([
        '{',
        '[]',
        'null',
        '3',
        JSON.stringify({ file_name: cell(), text: words() }),
        '{"file_name":3}',
      ]),
    );
    const table = [d.chance(0.8) ? `file_name${mark}text` : cell(), ...rows].join('\n');
    const name = d.pick(['metadata.csv', 'metadata.tsv', 'metadata.jsonl', 'train/metadata.csv']);
    files[name] = spoiled(encode(name.endsWith('jsonl') ? lines.join('\n') : table));
  }
  return files;
}

it('meets fuzzed folders without a crash', async () => {
  const job = testJob(
    'diffusion',
    { buckets: true },
    { data: { split: 0.3, flip: true }, train: { batch: 2 } },
  );
  const opened = await task.open(model, openWhole(model), job);
  let [fine, faulty, bothered] = [0, 0, 0];
  const folders = depth(75, 300);
  for (let seed = 0; seed < folders; seed++) {
    const files = memoryFiles(folder(dice(seed)), 'pictures');
    const prepared = await opened.prepare(files, null, host);
    for (const { message, item } of prepared.problems) {
      expect(message).not.toMatch(/undefined|\[object/);
      expect(message.length).toBeGreaterThan(item.length);
    }
    if (prepared.problems.length > 0) bothered++;
    if (prepared.problems.some(({ severity }) => severity === 'error')) {
      faulty++;
      continue;
    }
    fine++;
    await prepared.warm(host);
    const feeds = await prepared.feeds(0, 0);
    for (const tensor of Object.values(feeds))
      expect(Array.from(tensor as ArrayLike<number>, Number).every(Number.isFinite)).toBe(true);
  }
  // The folders are of all kinds: some whole, some whole with warnings, most broken.
  expect(fine).toBeGreaterThan(folders / 5);
  expect(faulty).toBeGreaterThan(folders / 3);
  expect(bothered).toBeGreaterThan(faulty + folders / 30);
});
