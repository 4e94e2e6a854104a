import { beforeAll, describe, expect, it } from 'vitest';
import { json, tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { loadImages, type TrainingImage } from './data.ts';
import { CaptionEmbeddings } from './conditions.ts';
import { PixelMaterial } from './material.ts';
import type { Tensors } from '../types.ts';
import { heldoutLoss, stratifiedTimesteps } from './metrics.ts';
import { saturation, toPicture } from './pictures.ts';
import { samplePixels } from './preview.ts';
import { decodePng } from './testing/decodePng.ts';
import { diskFiles } from './testing/diskFiles.ts';
import { emojiScheduler, emojiTextEncoder, emojiTokenizer, emojiUnet } from './testing/emoji.ts';

const scheduler = emojiScheduler();
let embeddings: CaptionEmbeddings;
let images: readonly TrainingImage[];
beforeAll(async () => {
  const encode = await emojiTextEncoder();
  embeddings = new CaptionEmbeddings([emojiTokenizer()], async ([ids], batch) => ({
    encoder_hidden_states: await encode(ids!, batch),
  }));
  ({ images } = await loadImages(diskFiles('public/data/high-contrast'), 'heldout/', decodePng, 32));
  await embeddings.add(images.map((i) => i.caption));
});

const materialOf = (some: readonly TrainingImage[]) =>
  new PixelMaterial(
    some.map((image) => ({ ...image, bucket: 0, timeIds: [] })),
    [[3, 32, 32]],
  );

describe('stratifiedTimesteps', () => {
  it('fills [0, T) evenly, one timestep per image and stratum', () => {
    const t = stratifiedTimesteps(37, 4, 1000);
    const sorted = [...t].sort((a, b) => a - b);
    sorted.forEach((x, i) => expect(x).toBe(Math.floor(((i + 0.5) / 148) * 1000)));
    for (let n = 0; n < 37; n++)
      expect([...t.slice(4 * n, 4 * n + 4)].map((x) => Math.floor(x / 250))).toEqual([0, 1, 2, 3]);
  });
});

describe('heldoutLoss', () => {
  it('does not depend on the batch, and is 0 for a perfect prediction', async () => {
    const few = images.slice(0, 5);
    const common = {
      material: materialOf(few),
      conditions: embeddings,
      scheduler,
      levels: 3,
    };
    // A prediction that knows nothing but its own row: the noisy pixels themselves.
    const losses = [];
    for (const batch of [1, 4, 15])
      losses.push(
        await heldoutLoss({
          ...common,
          batch,
          predictor: async () => async (noisy) => noisy,
        }),
      );
    expect(losses[1]).toBeCloseTo(losses[0]!, 12);
    expect(losses[2]).toBeCloseTo(losses[0]!, 12);
    // v = (√ᾱ·x_t − x₀)/√(1 − ᾱ): who knows x₀ errs nowhere.
    let row = 0;
    const perfect = await heldoutLoss({
      ...common,
      batch: 1,
      predictor: async () => async (noisy, timesteps) => {
        const a = scheduler.alphaBar(timesteps[0]!);
        const { pixels } = few[Math.floor(row++ / 3)]!;
        return noisy.map((x, i) => (Math.sqrt(a) * x - pixels[i]!) / Math.sqrt(1 - a));
      },
    });
    expect(perfect).toBeLessThan(1e-8);
  });

  it('finds that the built-in model knows more than nothing of icons in a style it never saw', async () => {
    const done: number[] = [];
    const common = {
      material: materialOf(images),
      conditions: embeddings,
      scheduler,
      batch: 8,
      levels: 1,
    };
    const unet = await emojiUnet();
    const loss = await heldoutLoss({
      ...common,
      predictor: async () => (noisy, timesteps, conditions) =>
        unet(noisy, timesteps, conditions['encoder_hidden_states'] as Float32Array),
      onProgress: (k) => void done.push(k),
    });
    const ofZero = await heldoutLoss({
      ...common,
      predictor: async () => async (x) => new Float32Array(x.length),
    });
    expect(loss).toBeGreaterThan(0);
    expect(loss).toBeLessThan(ofZero / 2);
    expect(done).toEqual([8, 16, 24, 32, 37]);
  });
});

describe('noise and target', () => {
  it("give the untouched model PyTorch's loss on the first golden batch", async () => {
    const batches = tensors('emoji/trajectory_batches.safetensors');
    const { trajectory } = json('emoji/golden.json') as {
      trajectory: { float64: { loss: number[] } };
    };
    const firstOf = (name: string, length: number) =>
      (batches.get(name)!.data as Float32Array | Int32Array).slice(0, length);
    const [x0, noise] = [firstOf('x0', 6144), firstOf('noise', 6144)] as Float32Array[];
    const t = firstOf('timestep', 2) as Int32Array;
    const noisy = new Float32Array(6144);
    const target = new Float32Array(6144);
    for (const at of [0, 3072]) {
      const [x, e] = [x0!.subarray(at, at + 3072), noise!.subarray(at, at + 3072)];
      scheduler.addNoise(x, e, t[at / 3072]!, noisy, at);
      scheduler.target(x, e, t[at / 3072]!, target, at);
    }
    const predict = await emojiUnet();
    const v = await predict(noisy, t, firstOf('encoder_hidden_states', 2 * 12 * 96) as Float32Array);
    const loss = v.reduce((s, x, i) => s + (x - target[i]!) ** 2, 0) / v.length;
    // Adapters start as the identity, so the first loss of the golden run is the model's own.
    expect(Math.abs(loss / trajectory.float64.loss[0]! - 1)).toBeLessThan(1e-5);
  });
});

describe('samplePixels', () => {
  const fake = async (x: Float32Array, t: number, conditions: Tensors) => {
    const e = conditions['encoder_hidden_states'] as Float32Array;
    const each = e.length / (x.length / 4);
    return x.map((v, i) => Math.tanh(v + t / 1000 + e[Math.floor(i / 4) * each]!));
  };
  const common = {
    prompts: ['ghost', 'robot', 'pear'],
    negative: '',
    steps: 4,
    guidance: 1,
    seed: 5,
    scheduler,
    denoise: fake,
    shape: [1, 2, 2] as const,
  };

  it('gives a picture the same pixels in any batch and company', async () => {
    const three = await samplePixels({
      ...common,
      conditions: embeddings,
      batch: 3,
    });
    expect(await samplePixels({ ...common, conditions: embeddings, batch: 1 })).toEqual(three);
    expect(await samplePixels({ ...common, conditions: embeddings, batch: 2 })).toEqual(three);
    expect(
      await samplePixels({
        ...common,
        conditions: embeddings,
        batch: 4,
        prompts: ['ghost'],
      }),
    ).toEqual(three.slice(0, 4));
    expect(
      await samplePixels({
        ...common,
        conditions: embeddings,
        batch: 3,
        seed: 6,
      }),
    ).not.toEqual(three);
  });

  it('counts steps over all batches and doubles the batch under guidance', async () => {
    const done: [number, number][] = [];
    const sizes = new Set<number>();
    await samplePixels({
      ...common,
      conditions: embeddings,
      guidance: 1.5,
      batch: 2,
      denoise: (x, t, e) => {
        sizes.add(x.length);
        return fake(x, t, e);
      },
      onStep: (k, n) => void done.push([k, n]),
    });
    expect(done).toEqual(Array.from({ length: 8 }, (_, i) => [i + 1, 8]));
    expect([...sizes]).toEqual([16]);
  });
});

describe('pictures', () => {
  // Two pictures of 1 × 2 pixels: pure red and white; grey and half-saturated blue.
  const pixels = Float32Array.of(1, 1, -1, 1, -1, 1, 0.2, 0, 0.2, 0, 0.2, 1);

  it('have a saturation between grey and pure colour', () => {
    expect(saturation(pixels.subarray(0, 6), 2)).toBeCloseTo(0.5, 6);
    expect(saturation(pixels.subarray(6), 2)).toBeCloseTo(0.25, 6);
    expect(saturation(pixels, 2)).toBeCloseTo(0.375, 6);
  });

  it('become RGBA for people, clipped and opaque', () => {
    expect([...toPicture(pixels.subarray(0, 6), 2, 1).rgba]).toEqual([255, 0, 0, 255, 255, 255, 255, 255]);
    expect([...toPicture(Float32Array.of(-3, 0), 2, 1).rgba]).toEqual([0, 0, 0, 255, 128, 128, 128, 255]);
  });
});
