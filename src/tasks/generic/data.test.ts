import { describe, expect, it } from 'vitest';
import { constantOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import { graphOf, model as modelOf, n, value } from '#src/ops/testing/models.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { writeSafetensors } from '#src/tasks/arrays/safetensors.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { testHost } from '#src/tasks/images/testing/host.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { task } from './task.ts';

const waves = diskFiles('public/models/waves');
type Arrays = Record<string, Tensor>;

/** Numbers that count up, in quarters; integers for labels. */
const count = (shape: number[], from = 0, type: 'float32' | 'int64' = 'float32'): Tensor =>
  tensor(
    type,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => (type === 'float32' ? (from + i) / 4 : (from + i) % 2)),
  );
const file = (arrays: Arrays): Uint8Array => writeSafetensors(new Map(Object.entries(arrays)));

async function prepare(
  files: Record<string, Uint8Array | string>,
  options: object = {},
  parts: Parameters<typeof testJob>[2] = {},
  model = waves,
) {
  const opened = await task.open(model, openWhole(model), testJob('generic', options, parts));
  return opened.prepare(memoryFiles(files, 'numbers'), null, testHost());
}
const wrong = async (...given: Parameters<typeof prepare>) =>
  (await prepare(...given)).problems.map((p) => p.message);
const good = { 'd.safetensors': file({ x: count([10, 4]), y: count([10, 2]) }) };
const firsts = (feeds: Readonly<Record<string, ArrayLike<number | bigint>>>, name: string, each: number) =>
  Array.from({ length: feeds[name]!.length / each }, (_, i) => Number(feeds[name]![i * each]));

describe('order', () => {
  it('is that of the rows, round and round, through micro-steps', async () => {
    const prepared = await prepare(good, {}, { train: { batch: 3, accumulate: 2 } });
    const rows = [];
    for (const [step, micro] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const)
      rows.push(...firsts(await prepared.feeds(step, micro), 'x', 4));
    expect(rows).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
  });

  it('is that of the batches, where arrays have an axis more', async () => {
    const prepared = await prepare({
      'd.safetensors': file({ x: count([3, 5, 4]), y: count([3, 5, 2]), other: count([1]) }),
    });
    expect(prepared.problems).toEqual([]);
    expect(prepared.counts.train).toBe(3);
    const at = async (k: number) => firsts(await prepared.feeds(k, 0), 'target', 10)[0];
    expect([await at(0), await at(1), await at(2), await at(3)]).toEqual([0, 2.5, 5, 0]);
    expect(prepared.training().graph.inputs[0]!.shape).toEqual([5, 4]);
  });

  it('is that of the files batch_0, batch_1 … batch_10', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 11 }, (_, i) => [
        `batch_${i}.safetensors`,
        file({ x: count([2, 4], 8 * i), y: count([2, 2]) }),
      ]),
    );
    const prepared = await prepare(files);
    expect(prepared.problems).toEqual([]);
    expect([
      firsts(await prepared.feeds(10, 0), 'x', 8),
      firsts(await prepared.feeds(11, 0), 'x', 8),
    ]).toEqual([[20], [0]]);
  });

  it('is shuffled by the seed alone, every row once an epoch', async () => {
    const prepared = await prepare(good, { order: 'shuffled' }, { train: { batch: 5 } });
    const rows = [
      ...firsts(await prepared.feeds(0, 0), 'x', 4),
      ...firsts(await prepared.feeds(1, 0), 'x', 4),
    ];
    expect(rows).not.toEqual([...rows].sort((a, b) => a - b));
    expect([...rows].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it.each(['mlp', 'conv'])('takes the golden %s trajectory’s batches as they are', async (net) => {
    const golden = diskFiles('e2e/golden/oft');
    const only = (path: string) => ({ ...golden, paths: [path] });
    const model = only(`trajectory_${net}.onnx`);
    const options = net === 'conv' ? { loss: 'cross_entropy' } : {};
    const opened = await task.open(model, openWhole(model), testJob('generic', options));
    const prepared = await opened.prepare(
      only(`trajectory_${net}_diagoft_free.safetensors`),
      null,
      testHost(),
    );
    expect(prepared.problems).toEqual([]);
    expect(prepared.counts.train).toBe(4);
    expect(await prepared.feeds(5, 0)).toEqual(await prepared.feeds(1, 0));
  });
});

describe('bad data', () => {
  const nan = count([10, 4]);
  (nan.data as Float32Array)[9] = NaN;
  const classes = { loss: 'cross_entropy' };
  it.each<[string, Record<string, Uint8Array | string>, object, RegExp]>([
    ['an empty folder', {}, {}, /numbers has no array file/],
    ['an empty file', { 'd.npz': '' }, {}, /d\.npz is empty \(0 bytes\)/],
    [
      'NaN',
      { 'd.safetensors': file({ x: nan, y: count([10, 2]) }) },
      {},
      /d\.safetensors: the array "x" holds a number that is not finite .* \[2, 1\]/,
    ],
    [
      'a wrong shape',
      { 'd.safetensors': file({ x: count([10, 5]), y: count([10, 2]) }) },
      {},
      /d\.safetensors: the array "x" has the shape \[10,5\].*x \[batch,4\]/,
    ],
    [
      'a wrong target',
      { 'd.safetensors': file({ x: count([10, 4]), y: count([10, 3]) }) },
      {},
      /the model gives waves \[4,2\] and the target is target \[4,3\]/,
    ],
    [
      'a lacking input',
      { 'd.safetensors': file({ z: count([10, 4]), y: count([10, 2]) }) },
      {},
      /d\.safetensors has no array for the model's input x \[batch,4\]; its arrays are y, z/,
    ],
    [
      'a lacking target',
      { 'd.safetensors': file({ x: count([10, 4]), p: count([1]), q: count([1]) }) },
      {},
      /no array that is the target/,
    ],
    ['a target that is not there', good, { target: 'z' }, /no array "z" for the target/],
    [
      'unequal lengths',
      { 'd.safetensors': file({ x: count([10, 4]), y: count([9, 2]) }) },
      {},
      /"y" of shape \[9,2\] has 9 examples, but "x" has 10/,
    ],
    [
      'labels out of range',
      { 'd.safetensors': file({ x: count([3, 4]), y: tensor('int64', [3], [0, 1, 2]) }) },
      classes,
      /"y" has the label 2 at \[2\], out of range: the model has the classes 0 to 1/,
    ],
    [
      'labels that are no whole numbers',
      { 'd.safetensors': file({ x: count([3, 4]), y: count([3]) }) },
      classes,
      /"y" \(float32\) does not fit the type int32: it has /,
    ],
    [
      'shares beyond 1',
      { 'd.safetensors': file({ x: count([10, 4]), y: count([10, 2]) }) },
      { loss: 'bce' },
      /"y" has 1\.25 at \[\d+, \d+\], but the loss bce takes shares from 0 to 1/,
    ],
    [
      'one name twice',
      { ...good, 'e.safetensors': file({ x: count([10, 4]) }) },
      {},
      /The array "x" is in d\.safetensors and in e\.safetensors/,
    ],
    [
      'batches of other shapes',
      {
        'batch_0.safetensors': file({ x: count([2, 4]), y: count([2, 2]) }),
        'batch_1.safetensors': file({ x: count([3, 4]), y: count([3, 2]) }),
      },
      {},
      /batch_1\.safetensors: the array "x" has the shape \[3,4\], but \[2,4\] in batch_0/,
    ],
    [
      'an output that is not there',
      good,
      { output: 'z' },
      /no float32 output "z"; its outputs are waves \[4,2\]/,
    ],
    ['a loss that is none', good, { loss: 'model' }, /no output of one float32 number/],
  ])('names %s', async (_, files, options, message) => {
    expect(await wrong(files, options)).toContainEqual(expect.stringMatching(message));
  });

  it('is silent about good data', async () => {
    expect(await wrong(good)).toEqual([]);
    const labels = { 'd.safetensors': file({ x: count([6, 4]), y: count([6], 0, 'int64') }) };
    expect(await wrong(labels, classes)).toEqual([]);
    const floats = tensor('float32', [6], [0, 1, 1, 0, 1, -100]);
    expect(await wrong({ 'd.safetensors': file({ x: count([6, 4]), y: floats }) }, classes)).toEqual([]);
  });

  it('meets fuzzed data sets without a crash', { timeout: 120_000 }, async () => {
    let [fine, faulty] = [0, 0];
    const sets = depth(75, 300);
    for (let seed = 0; seed < sets; seed++) {
      const d = dice(seed);
      const rows = 1 + d.whole(8);
      const array = (width: number): Tensor => {
        const shape = d.chance(0.9)
          ? [rows, width]
          : d.pick([[2, rows, width], [rows], [0, width], [], [rows + 1, width]]);
        return d.chance(0.9)
          ? count(shape)
          : tensor(
              d.pick(['int64', 'float16', 'bool', 'float64'] as const),
              shape,
              new Array<number>(sizeOf(shape)).fill(d.pick([0, 1, 3])),
            );
      };
      const files: Record<string, Uint8Array | string> = {};
      for (let i = d.pick([0, 1, 1, 1, 2, 3]); i > 0; i--) {
        const arrays: Arrays = {
          [d.pick(['x', 'x', 'x', 'x', 'z'])]: array(4),
          [d.pick(['y', 'y', 'target'])]: array(2),
        };
        files[
          d.pick([
            'd.safetensors',
            'd.safetensors',
            'd.safetensors',
            'e.safetensors',
            'batch_1.safetensors',
            'batch_2.safetensors',
            'x.npy',
            'a.npz',
            'note.txt',
          ])
        ] = damaged(d, file(arrays));
      }
      const loss = d.pick(['mse', 'mse', 'l1', 'huber', 'cross_entropy', 'bce', 'cosine', 'model']);
      const prepared = await prepare(
        files,
        { loss, order: d.pick(['sequential', 'shuffled']) },
        { data: { split: d.pick([0, 0.5]) } },
      );
      for (const p of prepared.problems) expect(p.message).not.toMatch(/undefined|\[object/);
      if (prepared.problems.some((p) => p.severity === 'error')) faulty++;
      else {
        fine++;
        prepared.training();
        expect(Object.keys(await prepared.feeds(3, 0))).toContain('x');
      }
    }
    expect(fine).toBeGreaterThan(depth(4, 20));
    expect(faulty).toBeGreaterThan(fine);
  });
});

it('takes the model’s own loss', async () => {
  const w = count([4, 3]);
  const graph = graphOf(
    [
      n('MatMul', ['x', 'w'], ['h']),
      n('Sub', ['h', 'wanted'], ['d']),
      n('Mul', ['d', 'd'], ['s']),
      n('ReduceMean', ['s'], ['loss'], { keepdims: 0 }),
    ],
    { w },
    [value('x', 'float32', ['b', 4]), value('wanted', 'float32', ['b', 3])],
    ['loss'],
  );
  const made = modelOf({
    ...graph,
    initializers: new Map([['w', constantOf(w)]]),
    outputs: [value('loss', 'float32', [])],
  });
  const files = memoryFiles({ 'model.onnx': encodeModel(made) });
  const data = { 'd.safetensors': file({ x: count([8, 4]), wanted: count([8, 3]) }) };
  const prepared = await prepare(data, { loss: 'model' }, { data: { split: 0.7 } }, files);
  expect(prepared.problems).toEqual([]);
  expect(Object.keys(await prepared.feeds(0, 0)).sort()).toEqual(['wanted', 'x']);
  expect(prepared.training().layers.map((l) => l.initializer)).toEqual(['w']);

  // Six held out, four to a batch: the second batch stands for two.
  expect(prepared.counts).toEqual({ train: 2, heldout: 6 });
  const given = [1, 4];
  const { loss } = await prepared.evaluate(
    {
      run: (_, made) =>
        Promise.resolve(() => Promise.resolve({ [made.outputs[0]!.name]: Float32Array.of(given.shift()!) })),
    },
    testHost(),
    () => undefined,
  );
  expect(loss).toBeCloseTo((4 * 1 + 2 * 4) / 6, 6);
});
