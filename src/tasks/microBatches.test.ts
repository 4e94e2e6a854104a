/**
 * @file However the same examples are cut into micro-batches, an update has one loss, one gradient and one norm, and a model is judged alike: all tasks, all losses,
 * with whatever makes examples weigh unequally.
 */
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import type { BlockChoice } from '#src/oft/types.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import { sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { graphOf, model, n, value } from '#src/ops/testing/models.ts';
import { tinyModel } from '../../workers/trainer/testing/tinyModel.ts';
import { writeSafetensors } from './arrays/safetensors.ts';
import { decodePngImage } from './diffusion/testing/decodePng.ts';
import { diskFiles, memoryFiles } from './diffusion/testing/diskFiles.ts';
import { task as diffusion } from './diffusion/task.ts';
import type { FileSet } from './files.ts';
import { task as generic } from './generic/task.ts';
import { task as imageClassification } from './image-classification/task.ts';
import { png } from './images/testing/host.ts';
import { task as language } from './language/task.ts';
import { task as pairs } from './pairs/task.ts';
import { random } from './random.ts';
import { firstUpdate, type FirstUpdate, type UpdateRun } from './testing/firstUpdate.ts';
import { testJob } from './testing/job.ts';
import { task as textClassification } from './text-classification/task.ts';

/** Examples of an update. */
const TOTAL = 6;
const cut = (batches: readonly number[]) => batches.map((batch) => ({ batch, accumulate: TOTAL / batch }));

type Case = Pick<UpdateRun, 'task' | 'model' | 'train' | 'heldout' | 'clip' | 'segments'> & {
  readonly options?: object;
  readonly data?: Partial<UpdateRun['job']['data']>;
  readonly minSnr?: number;
  readonly blocks?: BlockChoice;
  /** Sizes of micro-batches that are tried; the last is held against the others. */
  readonly batches?: readonly number[];
};

/** Single precision, in sums of another order. */
const near = (what: string, got: number, want: number, scale = Math.abs(want)): void =>
  expect(Math.abs(got - want) / scale, `${what}: ${got} for ${want}`).toBeLessThan(1e-5);

function expectSame(got: FirstUpdate, want: FirstUpdate): void {
  near('loss', got.loss, want.loss);
  near('gradient norm', got.gradNorm, want.gradNorm);
  const largest = Math.max(...want.gradient.map(Math.abs));
  want.gradient.forEach((x, i) => near(`gradient ${i}`, got.gradient[i]!, x, largest));
  if (want.evaluation.loss !== null) near('held-out loss', got.evaluation.loss!, want.evaluation.loss);
  want.evaluation.metrics.forEach((metric, i) =>
    near(metric.name, got.evaluation.metrics[i]!.value, metric.value, Math.abs(metric.value) + 1e-9),
  );
}

async function cutAlike({
  options = {},
  data,
  minSnr = 0,
  blocks,
  batches = [1, 2, 3, TOTAL],
  ...run
}: Case): Promise<FirstUpdate> {
  const updates: FirstUpdate[] = [];
  for (const train of cut(batches))
    updates.push(
      await firstUpdate({
        ...run,
        turned: 0.1,
        decodeImage: decodePngImage,
        plan: { ...defaultSettings, rules: [], blocks: blocks ?? { size: 4, fit: 'nearest' } },
        job: testJob(run.task.id, options, { data: { ...data }, train: { ...train, minSnr, seed: 3 } }),
      }),
    );
  const whole = updates.at(-1)!;
  expect(whole.finite).toBe(true);
  expect(whole.gradNorm).toBeGreaterThan(1e-6);
  for (const update of updates.slice(0, -1)) expectSame(update, whole);
  return whole;
}

/** Pictures of noise. */
const picture = (seed: number, side = 8): Uint8Array => {
  const u = random(seed, 'picture', 0).uniform(3 * side * side);
  return png(side, side, (x, y) => [0, 1, 2].map((c) => 255 * u[3 * (y * side + x) + c]!) as [number, number, number]); // prettier-ignore
};
const pictures = (count: number, path: (i: number) => string, seed = 0): Record<string, Uint8Array> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [path(i), picture(seed + i)]));

/** Between 1 and `most` words of a few. */
const sentence = (seed: number, most: number, words: readonly string[]): string => {
  const r = random(seed, 'sentence', 0);
  return Array.from(r.integers(1 + r.integers(1, most)[0]!, words.length), (i) => words[i]).join(' ');
};

describe('arrays', () => {
  /** One convolution: x [b, 3, 4, 4] → y [b, 5, 4, 4], and the mean of |y| as the model's own loss. */
  const conv = memoryFiles({
    'model.onnx': encodeModel(
      model(
        graphOf(
          [
            n('Conv', ['x', 'w'], ['y'], { pads: [1, 1, 1, 1], kernel_shape: [3, 3] }),
            n('Abs', ['y'], ['size']),
            n('ReduceMean', ['size'], ['own'], { keepdims: 0 }),
          ],
          { w: tensor('float32', [5, 3, 3, 3], random(0, 'w', 0).normal(135)) },
          [value('x', 'float32', ['b', 3, 4, 4])],
          ['y', 'own'],
        ),
      ),
    ),
  });
  const floats = (shape: number[], seed: number, from: 'normal' | 'uniform' = 'normal'): Tensor =>
    tensor('float32', shape, random(seed, 'floats', 0)[from](sizeOf(shape)));
  /** Labels of 5 classes, so many of which do not count that some examples have none. */
  const labels = (count: number, seed: number): Tensor => {
    const r = random(seed, 'labels', 0);
    const drawn = Array.from(r.integers(count * 16, 5));
    const left = r.uniform(count * 16);
    const shares = r.uniform(count).map((x, i) => (i === 1 ? 0 : x));
    return tensor('int32', [count, 4, 4], drawn.map((c, i) => (left[i]! < shares[i >> 4]! ? c : -100))); // prettier-ignore
  };
  const arrays = (count: number, seed: number, target: Tensor | null): FileSet => {
    const all = new Map<string, Tensor>([['x', floats([count, 3, 4, 4], seed)]]);
    if (target) all.set('target', target);
    return memoryFiles({ 'a.safetensors': writeSafetensors(all, new Map()) });
  };
  const HELD = 5;
  it.each<[string, object, (count: number, seed: number) => Tensor | null]>([
    ['mse', {}, (c, s) => floats([c, 5, 4, 4], s)],
    ['l1', {}, (c, s) => floats([c, 5, 4, 4], s)],
    ['huber', { delta: 0.7 }, (c, s) => floats([c, 5, 4, 4], s)],
    ['bce', {}, (c, s) => floats([c, 5, 4, 4], s, 'uniform')],
    ['cosine', {}, (c, s) => floats([c, 5, 4, 4], s)],
    ['cross_entropy', {}, labels],
    ['cross_entropy', {}, (c, s) => floats([c, 5, 4, 4], s, 'uniform')],
    ['model', { output: 'own' }, () => null],
  ])('%s %j', async (loss, options, target) => {
    for (const seed of [1, 2])
      await cutAlike({
        task: generic,
        model: conv,
        train: arrays(TOTAL + 1, seed, target(TOTAL + 1, seed + 10)),
        heldout: arrays(HELD, seed + 20, target(HELD, seed + 30)),
        options: { loss, output: 'y', order: 'shuffled', ...options },
        clip: seed === 2 ? 0.01 : 0,
        segments: seed,
        batches: seed === 2 ? [1, TOTAL] : [2, 3, TOTAL],
        blocks: { size: 5, fit: 'nearest' },
      });
  });

  it('that say nothing at all teach nothing, and give no NaN', async () => {
    const nothing = tensor('int32', [TOTAL, 4, 4], new Array<number>(TOTAL * 16).fill(-100));
    for (const train of cut([2, TOTAL])) {
      const got = await firstUpdate({
        task: generic,
        model: conv,
        train: arrays(TOTAL, 1, nothing),
        heldout: arrays(TOTAL, 2, nothing),
        turned: 0.1,
        plan: { ...defaultSettings, rules: [], blocks: { size: 5, fit: 'nearest' } },
        job: testJob('generic', { loss: 'cross_entropy', output: 'y' }, { train }),
      });
      expect([got.finite, got.loss, got.gradNorm]).toEqual([true, 0, 0]);
      expect(got.evaluation.loss).toBeNull();
    }
  });

  it.each([0, 2])('of which micro-batch %i is not finite leave the update out', async (bad) => {
    const got = await firstUpdate({
      task: generic,
      model: conv,
      train: arrays(TOTAL, 1, floats([TOTAL, 5, 4, 4], 5)),
      turned: 0.1,
      plan: { ...defaultSettings, rules: [], blocks: { size: 5, fit: 'nearest' } },
      job: testJob('generic', { loss: 'mse', output: 'y' }, { train: { batch: 2, accumulate: 3 } }),
      alter: (feeds, micro) =>
        micro === bad ? { ...feeds, x: (feeds['x'] as Float32Array).map(() => NaN) } : feeds,
    });
    expect(got.finite).toBe(false);
    expect(got.gradient.every((x) => x === 0)).toBe(true);
    for (const name of ['grad_sum', 'loss_totals']) expect(got.state[name]!.every((x) => x === 0)).toBe(true);
  });
});

it('texts to go on with', async () => {
  const words = ['fox', 'the', 'grass', 'old', 'river', 'bank', 'zyx'];
  const chat = (i: number): string =>
    `${JSON.stringify({ prompt: sentence(i, 6, words), completion: sentence(100 + i, 12, words) })}\n`;
  const chats = (from: number, to: number): FileSet =>
    memoryFiles({ 'a.jsonl': Array.from({ length: to - from }, (_, i) => chat(from + i)).join('') });
  const { evaluation } = await cutAlike({
    task: language,
    model: diskFiles('e2e/golden/accumulation/language'),
    train: chats(0, TOTAL + 1),
    heldout: chats(20, 25),
    options: { packing: false, length: 32 },
  });
  expect(evaluation.metrics.map((m) => m.name)).toEqual(['perplexity']);
});

it('classes of pictures', async () => {
  const path = (i: number): string => `${['ape', 'ape', 'ape', 'ape', 'bee', 'bee', 'cat'][i]!}/${i}.png`;
  await cutAlike({
    task: imageClassification,
    model: diskFiles('e2e/golden/accumulation/classes'),
    train: memoryFiles(pictures(7, path)),
    heldout: memoryFiles(pictures(5, path, 50)),
    options: { classWeights: 'balanced', labelSmoothing: 0.1, crop: 0.7, colour: 0.2, head: 'keep' },
    data: { flip: true },
  });
});

it('classes of texts', async () => {
  const rows = (from: number, to: number): FileSet =>
    memoryFiles({
      'a.csv': ['text,label', ...Array.from({ length: to - from }, (_, i) =>
        `${sentence(from + i, 9, ['soup', 'piano', 'ticket', 'not', 'how'])} ${from + i},${i % 4 === 0 ? 'rare' : 'common'}`,
      )].join('\n'), // prettier-ignore
    });
  await cutAlike({
    task: textClassification,
    model: diskFiles('public/models/topics'),
    train: rows(0, 7),
    heldout: rows(20, 25),
    options: { classWeights: 'balanced', labelSmoothing: 0.05 },
  });
});

it('pairs of pictures', async () => {
  const both = (count: number, seed: number): FileSet =>
    memoryFiles({
      ...pictures(count, (i) => `input/${i}.png`, seed),
      ...pictures(count, (i) => `target/${i}.png`, seed + 100),
    });
  await cutAlike({
    task: pairs,
    model: diskFiles('public/models/repaint'),
    train: both(7, 0),
    heldout: both(5, 50),
    options: { loss: 'l1' },
    data: { flip: true },
  });
});

describe('pictures to draw', () => {
  it('with weights, captions left out, mirrored', async () => {
    const source = tinyModel();
    if (source.kind !== 'files') throw new Error('The tiny model is made of files.');
    const files: Record<string, Uint8Array> = {};
    for (const { path, blob } of source.files) files[path] = new Uint8Array(await blob.arrayBuffer());
    const words = ['ghost', 'robot', 'anchor', 'bear', 'cloud'];
    await cutAlike({
      task: diffusion,
      model: memoryFiles(files),
      train: memoryFiles(pictures(5, (i) => `${words[i]!}.png`)),
      heldout: memoryFiles(pictures(3, (i) => `${words[i]!}.png`, 50)),
      options: { offsetNoise: 0.1 },
      data: { flip: true, captionDropout: 0.4 },
      minSnr: 5,
    });
  });

  it('of several shapes, latents drawn anew', async () => {
    const shapes = [[16, 16], [12, 20], [12, 20]] as const; // prettier-ignore
    const files = Object.fromEntries(
      shapes.map(([width, height], i) => [`a cat ${i}.png`, png(width, height, (x, y) => [9 * x, 9 * y, 40 * i])]), // prettier-ignore
    );
    await cutAlike({
      task: diffusion,
      model: diskFiles('e2e/golden/tiny-sd'),
      train: memoryFiles(files),
      options: { buckets: true, latents: 'sample' },
      minSnr: 5,
      batches: [2, TOTAL],
    });
  });
});
