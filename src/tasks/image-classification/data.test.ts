import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { memoryFiles, diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { plainPng, testHost } from '#src/tasks/images/testing/host.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { classesOf } from '#src/tasks/classification/labels.ts';
import { readLabelled } from './data.ts';
import { task } from './task.ts';

const shapes = diskFiles('public/models/shapes');
type Contents = Record<string, Uint8Array | string>;

async function prepare(train: Contents, options: object = {}, heldout?: Contents, split = 0) {
  const job = testJob('image-classification', options, { data: { split } });
  const model = await task.open(shapes, openWhole(shapes), job);
  return model.prepare(memoryFiles(train, 'pets'), heldout ? memoryFiles(heldout, 'more') : null, testHost());
}
const wrong = async (...given: Parameters<typeof prepare>) =>
  (await prepare(...given)).problems.map((p) => `${p.severity}: ${p.message}`);

/** n images of a class, all different. */
const some = (folder: string, n: number, from = 0): Contents =>
  Object.fromEntries(
    Array.from({ length: n }, (_, i) => [
      `${folder}/${i}.png`,
      plainPng(1000 * folder.length + 37 * i + from),
    ]),
  );
const pets = { ...some('cat', 6), ...some('dog', 6, 100_000) };

describe('labels', () => {
  it.each<[string, Contents, Record<string, string>]>([
    ['folders', { 'cat/1.png': '', 'dog/a/2.png': '' }, { 'cat/1.png': 'cat', 'dog/a/2.png': 'dog' }],
    [
      'folders in a folder',
      { 'all/cat/1.png': '', 'all/dog/2.png': '' },
      { 'all/cat/1.png': 'cat', 'all/dog/2.png': 'dog' },
    ],
    [
      'hidden files left out',
      { 'cat/1.png': '', 'cat/.x.png': '', '__MACOSX/cat/1.png': '', 'dog/2.png': '' },
      { 'cat/1.png': 'cat', 'dog/2.png': 'dog' },
    ],
    [
      'CSV',
      { '1.png': '', 'in/2.png': '', 'metadata.csv': 'file_name,label\n1.png,cat\nin/2.png,"a, b"\n' },
      { '1.png': 'cat', 'in/2.png': 'a, b' },
    ],
    [
      'semicolons',
      { '1.png': '', '2.png': '', 'labels.csv': '\uFEFFlabel;file\r\ncat;1.png\r\ndog;2.png' },
      { '1.png': 'cat', '2.png': 'dog' },
    ],
    [
      'UTF-16, as spreadsheets save it',
      {
        '1.png': '',
        '2.png': '',
        'metadata.csv': new Uint8Array(
          Uint16Array.from('\uFEFFfile_name\tlabel\r\n1.png\tKätzchen\r\n2.png\tHund\r\n', (c) =>
            c.charCodeAt(0),
          ).buffer,
        ),
      },
      { '1.png': 'Kätzchen', '2.png': 'Hund' },
    ],
    [
      'tabs, no header',
      { 'a/1.png': '', 'a/2.png': '', 'l.tsv': '1.png\t0\n2.png\t1\n' },
      { 'a/1.png': '0', 'a/2.png': '1' },
    ],
    [
      'names without extension',
      { '1.png': '', '2.png': '', 'train.csv': 'id,category\n1,x\n2,y\n' },
      { '1.png': 'x', '2.png': 'y' },
    ],
    [
      'JSON lines',
      {
        '1.png': '',
        '2.png': '',
        'metadata.jsonl': '{"file_name":"1.png","label":0}\n\n{"file_name":"2.png","label":"b"}',
      },
      { '1.png': '0', '2.png': 'b' },
    ],
  ])('from %s', async (_, files, labels) => {
    const { images, problems, heldout } = await readLabelled(memoryFiles(files));
    expect(Object.fromEntries(images.map((i) => [i.path, i.label]))).toEqual(labels);
    expect(problems).toEqual([]);
    expect(heldout).toBeNull();
  });

  it('tells train/ from val/', async () => {
    const { images, heldout } = await readLabelled(
      memoryFiles({
        'd/train/a/1.png': '',
        'd/train/b/2.png': '',
        'd/test/a/4.png': '',
        'd/val/a/3.png': '',
      }),
    );
    expect(images.map((i) => i.label)).toEqual(['a', 'b']);
    expect(heldout).toEqual([{ path: 'd/val/a/3.png', label: 'a' }]);
  });

  it('sorts numbers by value', () => {
    expect(classesOf(['10', '9', '2'].map((label) => ({ path: '', label })))).toEqual(['2', '9', '10']);
  });
});

describe('bad data', () => {
  it.each<[string, Contents, object, RegExp]>([
    ['an empty folder', {}, {}, /error: There is no image in pets/],
    ['no images', { 'readme.md': 'hello' }, {}, /error: There is no image in pets/],
    ['one class', some('cat', 3), {}, /error: pets has one class only, "cat"/],
    ['a loose image', { ...pets, 'x.png': plainPng(5) }, {}, /error: x\.png is in no class/],
    [
      '0 bytes',
      { ...pets, 'cat/9.png': '' },
      {},
      /error: cat\/9\.png cannot be read as an image: it is empty, 0 bytes/,
    ],
    [
      'no image',
      { ...pets, 'cat/9.png': 'hello' },
      {},
      /cat\/9\.png cannot be read as an image: its bytes are no image/,
    ],
    [
      'a bomb',
      { ...pets, 'cat/9.png': bomb() },
      {},
      /cat\/9\.png cannot .*60000 × 60000 pixels; sides up to 16384/,
    ],
    [
      'twins',
      { ...pets, 'dog/9.png': pets['dog/0.png']! },
      {},
      /warning: dog\/9\.png is the same image as dog\/0\.png/,
    ],
    [
      'ragged rows',
      { '1.png': plainPng(1), '2.png': plainPng(2), 'm.csv': 'file,label\n1.png,a\n2.png\n2.png,b,c\n' },
      {},
      /error: m\.csv, row 3: it has 1 field, the header has 2/,
    ],
    [
      'a missing file',
      { '1.png': plainPng(1), 'm.csv': 'file,label\n1.png,a\n3.png,b\n' },
      {},
      /m\.csv, row 3: there is no image "3\.png"/,
    ],
    ['no label', { '1.png': plainPng(1), 'm.csv': 'file,label\n1.png,\n' }, {}, /row 2: 1\.png has no label/],
    [
      'two labels',
      { '1.png': plainPng(1), 'm.csv': 'file,label\n1.png,a\n1.png,b\n' },
      {},
      /row 3: 1\.png has a label already, in row 2/,
    ],
    [
      'no such column',
      { '1.png': plainPng(1), 'm.csv': 'file,colour\n1.png,a\n' },
      {},
      /m\.csv has no column for the label; its columns are file, colour/,
    ],
    [
      'another encoding',
      { '1.png': plainPng(1), 'm.csv': Uint8Array.of(71, 114, 246, 223, 101, 10) },
      {},
      /m\.csv cannot be read: it is not UTF-8 or UTF-16 text\./,
    ],
    [
      'an open quote',
      { '1.png': plainPng(1), 'm.csv': 'file,label\n1.png,"a\n' },
      {},
      /row 2: a quoted field does not end/,
    ],
    [
      'JSON that is none',
      { '1.png': plainPng(1), 'metadata.jsonl': '{"file_name":"1.png","label":"a"}\n{oops' },
      {},
      /metadata\.jsonl, row 2: it is not JSON/,
    ],
    [
      'a negative label',
      { '1.png': plainPng(1), '2.png': plainPng(2), 'm.csv': 'file,label\n1.png,-1\n2.png,0\n' },
      {},
      /error: The label -1 is out of range/,
    ],
    [
      'a label beyond the head',
      { '0/1.png': plainPng(1), '7/2.png': plainPng(2) },
      { head: 'keep' },
      /error: The label 7 is out of range: the model has the classes 0 to 5/,
    ],
    [
      'a strange name for the head',
      pets,
      { head: 'keep' },
      /error: The class "cat" is not among the model's 6 classes \(arrow, circle/,
    ],
    [
      'uneven classes',
      { ...some('cat', 2), ...some('doggy', 12) },
      {},
      /warning: The classes are uneven: "doggy" has 12 images, "cat" 2/,
    ],
  ])('names %s', async (_, files, options, message) => {
    expect(await wrong(files, options)).toContainEqual(expect.stringMatching(message));
  });

  it('is silent about good data', async () => {
    expect(await wrong(pets)).toEqual([]);
  });

  it('names classes that only the held-out images have', async () => {
    expect(await wrong(pets, {}, some('cow', 2))).toContainEqual(
      expect.stringMatching(/held-out images have a class "cow"/),
    );
  });

  it('lists twenty of many and counts the rest', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`cat/${i}.png`, new Uint8Array(0)]),
    );
    const all = await wrong({ ...pets, ...files });
    expect(all.filter((m) => m.includes('0 bytes'))).toHaveLength(20);
    expect(all).toContain('error: 10 more images cannot be read.');
  });

  it('meets fuzzed data sets without a crash', async () => {
    const job = testJob('image-classification', {}, { data: { split: 0.2 } });
    const model = await task.open(shapes, openWhole(shapes), job);
    let [fine, faulty] = [0, 0];
    for (let seed = 0; seed < depth(75, 300); seed++) {
      const d = dice(seed);
      const files: Contents = {};
      for (let i = d.whole(14); i > 0; i--) {
        const folder = d.pick([
          'cat',
          'dog',
          'cat',
          'dog',
          'a/b',
          '',
          'train/x',
          'val/x',
          '0',
          '1',
          '.hidden',
        ]);
        const name = d.pick(['1', '2', '3', 'ä ö', 'x'.repeat(200), `${seed}-${i}`]);
        files[
          `${folder === '' ? '' : `${folder}/`}${name}.${d.pick(['png', 'png', 'PNG', 'jpg', 'svg', 'txt'])}`
        ] = damaged(d, plainPng(d.whole(2 ** 24), 1 + d.whole(12), 1 + d.whole(12)));
      }
      if (d.chance(0.4)) {
        const cell = (): string =>
          d.pick([
            ...Object.keys(files),
            'cat',
            'dog',
            '',
            '"',
            '0',
            '-1',
            '1e9',
            'NaN',
            'label',
            'file_name',
          ]);
        const mark = d.pick([',', ';', '\t', '|']);
        const rows = Array.from({ length: d.whole(12) }, () =>
          Array.from({ length: 1 + d.whole(4) }, cell).join(mark),
        );
        const text = d.chance(0.6) ? `file_name${mark}label\n${rows.join('\n')}` : rows.join('\r\n');
        files[d.pick(['metadata.csv', 'metadata.jsonl', 'x.tsv'])] = damaged(
          d,
          new TextEncoder().encode(text),
        );
      }
      const prepared = await model.prepare(memoryFiles(files), null, testHost());
      const errors = prepared.problems.filter((p) => p.severity === 'error');
      for (const p of prepared.problems) expect(p.message).not.toMatch(/undefined|\[object|NaN %/);
      if (errors.length > 0) faulty++;
      else {
        fine++;
        const feeds = await prepared.feeds(0, 0);
        expect(Object.values(feeds).every((t) => Array.from(t as Float32Array).every(Number.isFinite))).toBe(
          true,
        );
      }
    }
    expect(fine).toBeGreaterThan(0);
    expect(faulty).toBeGreaterThan(fine);
  });
});

/** A PNG whose header says 60,000 × 60,000. */
function bomb(): Uint8Array {
  const bytes = plainPng(1);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(16, 60_000);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(20, 60_000);
  return bytes;
}

describe('feeds', () => {
  it('follow from the step alone, and hold out by class and seed', async () => {
    const options = { crop: 0.5, colour: 0.3 };
    const [a, b] = [
      await prepare(pets, options, undefined, 0.34),
      await prepare(pets, options, undefined, 0.34),
    ];
    expect(a.counts).toEqual({ train: 8, heldout: 4 });
    await a.feeds(0, 0);
    expect(await a.feeds(3, 0)).toEqual(await b.feeds(3, 0));
    expect(await a.feeds(3, 0)).not.toEqual(await a.feeds(4, 0));
    expect(a.dataHash).toBe(b.dataHash);
  });

  it('weigh and smooth as torch does', async () => {
    const uneven = { ...some('cat', 2), ...some('dog', 6, 100_000) };
    const prepared = await prepare(uneven, { classWeights: 'balanced', labelSmoothing: 0.2 });
    const feeds = (await prepared.feeds(0, 0)) as Record<'target' | 'target_weight', Float32Array>;
    const { target, target_weight: weight } = feeds;
    // Weights 8/(2·2) and 8/(2·6); rows (0.8·[c = label] + 0.1)·w_c, and the weights that the update's sum is divided by.
    const w = [2, 2 / 3];
    const labels = [0, 1, 2, 3].map((i) => (target[2 * i]! / w[0]! > target[2 * i + 1]! / w[1]! ? 0 : 1));
    labels.forEach((label, i) => {
      expect(weight[i]).toBeCloseTo(w[label]!, 6);
      for (const c of [0, 1]) {
        const share = (c === label ? 0.8 : 0) + 0.1;
        expect(target[2 * i + c]).toBeCloseTo(share * w[c]!, 6);
      }
    });
  });

  it('keeps the head where the labels are the model’s own', async () => {
    const own = { ...some('Circle', 2), ...some('arrow', 2) };
    const prepared = await prepare(own);
    expect(prepared.training().whole).toEqual([]);
    const { target } = (await prepared.feeds(0, 0)) as { target: Float32Array };
    expect(target).toHaveLength(4 * 6);
    const forced = await prepare(own, { head: 'new' });
    expect(forced.training().whole).toEqual(['classifier.weight', 'classifier.bias']);
  });
});
