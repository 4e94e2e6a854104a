import { beforeAll, describe, expect, it } from 'vitest';
import { expectNear, json, tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { type Denoise, sample } from './sample.ts';
import { parseSchedulerConfig } from './schedulerConfig.ts';
import { Scheduler } from './scheduler.ts';
import { emojiDenoise, emojiScheduler, emojiTextEncoder, emojiTokenizer } from './testing/emoji.ts';

describe("the built-in model's samples", () => {
  const golden = tensors('emoji/sampling.safetensors');
  const { sampling } = json('emoji/golden.json') as {
    sampling: {
      prompts: string[];
      negative: string;
      guidance_scale: number;
      steps: number;
    };
  };
  let denoise: Denoise;
  let embeddings: Float32Array;
  let negative: Float32Array;
  beforeAll(async () => {
    denoise = await emojiDenoise();
    const encode = await emojiTextEncoder();
    const tokenizer = emojiTokenizer();
    const n = sampling.prompts.length;
    embeddings = await encode(tokenizer.encodeAll(sampling.prompts), n);
    negative = await encode(tokenizer.encodeAll(sampling.prompts.map(() => sampling.negative)), n);
  });

  it("are diffusers' under guidance", async () => {
    const scheduler = emojiScheduler();
    expect([...scheduler.timesteps(sampling.steps)]).toEqual([
      ...(golden.get('timesteps')!.data as Int32Array),
    ]);
    const image = golden.get('image')!;
    const got = await sample({
      denoise,
      scheduler,
      steps: sampling.steps,
      guidance: sampling.guidance_scale,
      noise: golden.get('noise')!.data as Float32Array,
      conditions: { encoder_hidden_states: embeddings },
      negative: { encoder_hidden_states: negative },
    });
    expectNear('image', tensor('float32', image.shape, got), image, 1e-4);
  });
});

describe('sample', () => {
  const scheduler = new Scheduler(parseSchedulerConfig({ clip_sample: false }));
  const noise = Float32Array.of(0.5, -1, 2, 0);

  it('asks for a single batch without guidance and a doubled one with it', async () => {
    const sizes: number[][] = [];
    const denoise: Denoise = async (x, _t, { e }) => {
      sizes.push([x.length, e!.length]);
      return x.map((v) => v / 2);
    };
    const common = {
      denoise,
      scheduler,
      steps: 2,
      noise,
      conditions: { e: new Float32Array(6) },
    };
    const plain = await sample({ ...common, guidance: 1 });
    const guided = await sample({
      ...common,
      guidance: 3,
      negative: { e: new Float32Array(6) },
    });
    expect(sizes).toEqual([
      [4, 6],
      [4, 6],
      [8, 12],
      [8, 12],
    ]);
    // Both halves say the same here, so guidance changes nothing.
    expect(guided).toEqual(plain);
    await expect(sample({ ...common, guidance: 3 })).rejects.toThrow(/negative/);
  });

  it('follows negative + w·(positive − negative)', async () => {
    const at =
      (positive: number, negative: number): Denoise =>
      async (x, _t, { e }) =>
        x.map((_, i) => (e![Math.floor(i / 4)] === 1 ? positive : negative));
    const common = {
      scheduler,
      steps: 3,
      noise,
      conditions: { e: Float32Array.of(1) },
      negative: { e: Float32Array.of(0) },
    };
    const guided = await sample({
      ...common,
      denoise: at(0.2, 0.1),
      guidance: 2.5,
    });
    const direct = await sample({
      ...common,
      denoise: at(0.35, 0),
      guidance: 1,
    });
    guided.forEach((x, i) => expect(x).toBeCloseTo(direct[i]!, 5));
  });

  it('does not touch the noise, reports each step, and ends when asked to', async () => {
    const before = noise.slice();
    const done: number[] = [];
    const run = sample({
      denoise: async (x) => x.fill(0),
      scheduler,
      steps: 5,
      guidance: 1,
      noise,
      conditions: {},
      onStep: (k) => {
        done.push(k);
        if (k === 3) throw new Error('enough');
      },
    });
    await expect(run).rejects.toThrow('enough');
    expect(done).toEqual([1, 2, 3]);
    expect(noise).toEqual(before);
  });
});
