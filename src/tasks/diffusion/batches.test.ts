import { describe, expect, it } from 'vitest';
import { Batches, type BatchOptions, timestepTensor } from './batches.ts';
import { CaptionEmbeddings } from './conditions.ts';
import { LatentMaterial, PixelMaterial } from './material.ts';
import { parseSchedulerConfig } from './schedulerConfig.ts';
import { Scheduler } from './scheduler.ts';
import { emojiTokenizer } from './testing/emoji.ts';

const scheduler = new Scheduler(
  parseSchedulerConfig({
    beta_schedule: 'squaredcos_cap_v2',
    prediction_type: 'v_prediction',
  }),
);
/** Width 2, three channels of one row; image i is i + 0, 0.1, … so that rows can be told apart. */
const images = Array.from({ length: 5 }, (_, i) => ({
  path: `${i}.png`,
  caption: `caption ${i}`,
  bucket: 0,
  timeIds: [],
  pixels: Float32Array.from({ length: 6 }, (_, k) => i / 10 + k / 100),
}));
/** A text encoder whose one number per row is the sum of its ids. */
const embeddings = new CaptionEmbeddings([emojiTokenizer()], async ([ids], batch) => {
  const each = ids!.length / batch;
  return {
    encoder_hidden_states: Float32Array.from({ length: batch }, (_, i) =>
      ids!.slice(i * each, (i + 1) * each).reduce((s, x) => s + x, 0),
    ),
  };
});
const sumOf = (caption: string): number => Number(embeddings.stack([caption])['encoder_hidden_states']![0]);
await embeddings.add([...images.map((i) => i.caption), '']);

const options: BatchOptions = {
  material: new PixelMaterial(images, [[3, 1, 2]]),
  conditions: embeddings,
  scheduler,
  batch: 2,
  accumulate: 2,
  seed: 3,
  captionDropout: 0.25,
  flip: true,
  minSnr: 0,
  timestepType: 'int64',
};
const make = (changes: Partial<BatchOptions> = {}) => new Batches({ ...options, ...changes });

describe('Batches', () => {
  it('makes any step alone as it makes it in turn', () => {
    const inTurn = make();
    for (let step = 0; step < 6; step++)
      for (const micro of [0, 1]) {
        const feeds = inTurn.batch(step, micro);
        expect(make().batch(step, micro)).toEqual(feeds);
      }
    expect(make().batch(4, 1)).not.toEqual(make().batch(4, 0));
    expect(make({ seed: 4 }).batch(4, 1)).not.toEqual(make().batch(4, 1));
  });

  it('shows every image once an epoch, in a new order each time', () => {
    const places = Array.from({ length: 15 }, (_, k) => k);
    const shown = places.map((k) => make({ batch: 1, accumulate: 1 }).draws(k)[0]!.image);
    const epochs = [0, 5, 10].map((start) => shown.slice(start, start + 5));
    for (const epoch of epochs) expect([...epoch].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(epochs.map(String)).size).toBeGreaterThan(1);
    // The same sequence, cut into micro-batches.
    const cut = [0, 1, 2].flatMap((step) =>
      [0, 1].flatMap((micro) =>
        make()
          .draws(step, micro)
          .map((d) => d.image),
      ),
    );
    expect(cut).toEqual(shown.slice(0, 12));
  });

  it('noises images by the drawn timesteps and states the target that undoes it', () => {
    const batches = make({ flip: false, batch: 4 });
    const draws = batches.draws(2, 1);
    const { sample, target, timestep } = batches.batch(2, 1) as {
      sample: Float32Array;
      target: Float32Array;
      timestep: BigInt64Array;
    };
    expect([...timestep]).toEqual(draws.map((d) => BigInt(d.timestep)));
    draws.forEach((draw, i) => {
      // x₀ = √ᾱ·x_t − √(1 − ᾱ)·v.
      const a = scheduler.alphaBar(draw.timestep);
      for (let k = 0; k < 6; k++)
        expect(Math.sqrt(a) * sample[6 * i + k]! - Math.sqrt(1 - a) * target[6 * i + k]!).toBeCloseTo(
          images[draw.image]!.pixels[k]!,
          5,
        );
    });
  });

  it('mirrors rows where the draw says so', () => {
    const flipped = make();
    const plain = make({ flip: false });
    let mirrored = 0;
    for (let step = 0; step < 8; step++) {
      const [a, b] = [flipped.batch(step), plain.batch(step)] as Record<string, Float32Array>[];
      flipped.draws(step).forEach((draw, i) => {
        const root = Math.sqrt(scheduler.alphaBar(draw.timestep));
        const sigma = Math.sqrt(1 - scheduler.alphaBar(draw.timestep));
        const x0 = (f: Record<string, Float32Array>, k: number) =>
          root * f['sample']![6 * i + k]! - sigma * f['target']![6 * i + k]!;
        for (const k of [0, 2, 4]) {
          expect(x0(a!, k)).toBeCloseTo(x0(b!, draw.flipped ? k + 1 : k), 5);
          expect(x0(a!, k + 1)).toBeCloseTo(x0(b!, draw.flipped ? k : k + 1), 5);
        }
        mirrored += Number(draw.flipped);
      });
    }
    expect(mirrored).toBeGreaterThan(2);
    expect(mirrored).toBeLessThan(14);
  });

  it('drops the asked share of captions', () => {
    const batches = make({ batch: 100, accumulate: 1 });
    const dropped = Array.from({ length: 40 }, (_, s) => batches.draws(s))
      .flat()
      .filter((d) => d.dropped).length;
    // Four standard deviations of a binomial of 4000 at 0.25.
    expect(Math.abs(dropped - 1000)).toBeLessThan(4 * Math.sqrt(4000 * 0.25 * 0.75));
    const embedded = [...(batches.batch(0)['encoder_hidden_states'] as Float32Array)];
    const empty = sumOf('');
    expect(embedded.map((x) => x === empty)).toEqual(batches.draws(0).map((d) => d.dropped));
    expect(
      make({ captionDropout: 0 })
        .draws(0)
        .some((d) => d.dropped),
    ).toBe(false);
  });

  it('feeds weights only under min-SNR', () => {
    expect(make().batch(0)).not.toHaveProperty('weight');
    const batches = make({ minSnr: 5 });
    expect([...(batches.batch(1)['weight'] as Float32Array)]).toEqual(
      batches.draws(1).map((d) => Math.fround(scheduler.minSnrWeight(d.timestep, 5))),
    );
  });

  it('gives timesteps in the model’s element type', () => {
    expect(timestepTensor([1, 2], 'int32')).toEqual(Int32Array.of(1, 2));
    expect(timestepTensor([1, 2], 'float32')).toEqual(Float32Array.of(1, 2));
    expect(timestepTensor([1, 2], 'int64')).toEqual(BigInt64Array.of(1n, 2n));
  });
});

describe('CaptionEmbeddings', () => {
  it('embeds each caption once, in calls that the order of captions does not change', async () => {
    const record = async (captions: string[]) => {
      const calls: number[][] = [];
      const cache = new CaptionEmbeddings(
        [emojiTokenizer()],
        async ([ids], batch) => {
          calls.push([...ids!]);
          return { e: new Float32Array(batch) };
        },
        { batch: 2 },
      );
      await cache.add(captions);
      await cache.add(captions);
      return calls;
    };
    const calls = await record(['rocket', 'cat', 'cat', 'red apple']);
    expect(calls).toHaveLength(2);
    expect(await record(['cat', 'red apple', 'rocket'])).toEqual(calls);
    expect(calls.every((c) => c.length === 24)).toBe(true);
  });

  it('stacks rows and refuses captions that were never embedded', () => {
    expect([...embeddings.stack(['caption 1', ''])['encoder_hidden_states']!]).toEqual([
      sumOf('caption 1'),
      sumOf(''),
    ]);
    expect(sumOf('caption 1')).not.toBe(sumOf(''));
    expect(() => embeddings.stack(['unseen'])).toThrow(/unseen/);
  });

  it('takes zeros for an empty negative prompt where the pipeline says so', async () => {
    const cache = new CaptionEmbeddings(
      [emojiTokenizer()],
      async (_, batch) => ({ e: new Float32Array(2 * batch).fill(3) }),
      { zeroNegative: true },
    );
    await cache.add(['', 'a']);
    expect([...cache.stack(['', 'a'])['e']!]).toEqual([3, 3, 3, 3]);
    expect([...cache.negatives(['', 'a'])['e']!]).toEqual([0, 0, 3, 3]);
  });
});

describe('offset noise', () => {
  it('shifts whole channels of ε, and no more', () => {
    // ε-prediction: the target is the noise.
    const epsilon = new Scheduler(parseSchedulerConfig({}));
    const of = (offsetNoise: number) =>
      make({ scheduler: epsilon, offsetNoise }).batch(3)['target'] as Float32Array;
    const [plain, shifted] = [of(0), of(0.5)];
    const offsets = shifted.map((x, i) => x - plain[i]!);
    for (let channel = 0; channel < 6; channel++)
      expect(offsets[2 * channel]).toBeCloseTo(offsets[2 * channel + 1]!, 6);
    expect(new Set(Array.from(offsets, (x) => x.toFixed(3))).size).toBe(6);
  });
});

describe('latents', () => {
  const [mean, deviation] = [Float32Array.of(1, 2, 3, 4, 5, 6), new Float32Array(6).fill(0.5)];
  const material = (drawn: boolean) =>
    new LatentMaterial(
      [
        {
          caption: 'caption 1',
          bucket: 0,
          timeIds: [],
          latent: { mean, deviation: drawn ? deviation : null },
          mirrored: { mean: mean.map((x) => -x), deviation: null },
        },
      ],
      [[3, 1, 2]],
    );
  /** x₀ of the first picture of a batch. */
  const clean = (drawn: boolean, step: number, flip = false) => {
    const batches = make({ material: material(drawn), flip });
    const feeds = batches.batch(step) as Record<string, Float32Array>;
    const [draw] = batches.draws(step);
    const a = scheduler.alphaBar(draw!.timestep);
    const x0 = Array.from(
      { length: 6 },
      (_, k) => Math.sqrt(a) * feeds['sample']![k]! - Math.sqrt(1 - a) * feeds['target']![k]!,
    );
    return { x0, flipped: draw!.flipped };
  };

  it('are drawn anew at each step where they have a deviation', () => {
    clean(false, 0).x0.forEach((x, k) => expect(x).toBeCloseTo(mean[k]!, 4));
    const [first, second] = [clean(true, 0).x0, clean(true, 1).x0];
    first.forEach((x, k) => expect(Math.abs(x - mean[k]!)).toBeLessThan(0.5 * 5));
    expect(first.map((x) => x.toFixed(3))).not.toEqual(second.map((x) => x.toFixed(3)));
    expect(clean(true, 0).x0).toEqual(first);
  });

  it('of mirror images are those of the mirror image', () => {
    const steps = Array.from({ length: 12 }, (_, step) => clean(false, step, true));
    expect(new Set(steps.map(({ flipped }) => flipped)).size).toBe(2);
    for (const { x0, flipped } of steps)
      x0.forEach((x, k) => expect(x).toBeCloseTo(flipped ? -mean[k]! : mean[k]!, 3));
  });
});
