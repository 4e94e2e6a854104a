import { describe, expect, it } from 'vitest';
import { expectNumbers as near, json } from '../../../e2e/golden/testing/fixtures.ts';
import { DataError } from '../files.ts';
import { sample } from './sample.ts';
import { parseSchedulerConfig } from './schedulerConfig.ts';
import { Scheduler } from './scheduler.ts';

interface Case {
  readonly name: string;
  readonly config: Record<string, unknown>;
  readonly alphas_cumprod: number[];
  readonly last_alpha_cumprod: number;
  readonly x0: number[];
  readonly noise: number[];
  readonly at: number[];
  readonly noised: number[];
  readonly target: number[];
  readonly runs: {
    steps: number;
    timesteps: number[];
    noise: number[];
    result: number[];
  }[];
}
const { cases } = json('schedulers/schedulers.json') as { cases: Case[] };

describe.each(cases)('the schedule of $name', (c) => {
  const scheduler = new Scheduler(parseSchedulerConfig(c.config));
  const total = scheduler.length;

  it("has diffusers' alphas, up to its float32 products", () => {
    const every = Math.max(1, Math.floor(total / 50));
    // diffusers multiplies 1000 float32 numbers: relative rounding up to 1000·2⁻²⁴ = 6e-5.
    near(
      scheduler.alphasCumprod.filter((_, i) => i % every === 0),
      c.alphas_cumprod,
      6e-5,
      1e-7,
    );
    near([scheduler.alphaBar(total - 1)], [c.last_alpha_cumprod], 1e-4, 1e-9);
  });

  it('noises images and forms targets', () => {
    const parts = c.at.map((t, i) => {
      const row = (x: number[]) => Float32Array.from(x.slice(3 * i, 3 * i + 3));
      return {
        noised: scheduler.addNoise(row(c.x0), row(c.noise), t),
        target: scheduler.target(row(c.x0), row(c.noise), t),
      };
    });
    near(
      parts.flatMap((p) => [...p.noised]),
      c.noised,
      1e-5,
      2e-5,
    );
    near(
      parts.flatMap((p) => [...p.target]),
      c.target,
      1e-5,
      2e-5,
    );
  });

  it.each(c.runs)('takes $steps DDIM steps', async ({ steps, timesteps, noise, result }) => {
    expect([...scheduler.timesteps(steps)]).toEqual(timesteps);
    const x = await sample({
      denoise: async (latents, t) => latents.map((x) => Math.tanh(x + t / total)),
      scheduler,
      steps,
      guidance: 1,
      noise: Float32Array.from(noise),
      conditions: {},
    });
    near(x, result, 2e-4, 2e-4);
  });
});

describe('min-SNR weights', () => {
  const weigh = (prediction_type: string, t: number, gamma: number) =>
    new Scheduler(
      parseSchedulerConfig({
        beta_schedule: 'squaredcos_cap_v2',
        prediction_type,
      }),
    ).minSnrWeight(t, gamma);
  const snr = (t: number) =>
    new Scheduler(parseSchedulerConfig({ beta_schedule: 'squaredcos_cap_v2' })).snr(t);

  it('clamp the loss in units of x₀ at γ', () => {
    // The loss in x₀ is SNR × the loss in ε, and (SNR + 1) × … hence both weights equal min(SNR, γ) in x₀ units.
    for (const t of [0, 100, 500, 998]) {
      expect(weigh('epsilon', t, 5) * snr(t)).toBeCloseTo(Math.min(snr(t), 5), 10);
      expect(weigh('v_prediction', t, 5) * (snr(t) + 1)).toBeCloseTo(Math.min(snr(t), 5), 10);
    }
  });

  it('are 1 without γ, and finite at zero signal', () => {
    expect(weigh('v_prediction', 10, 0)).toBe(1);
    const zero = new Scheduler(
      parseSchedulerConfig({
        rescale_betas_zero_snr: true,
        prediction_type: 'v_prediction',
      }),
    );
    expect(zero.minSnrWeight(999, 5)).toBe(0);
  });
});

describe('a scheduler_config.json that cannot be used', () => {
  it.each([
    [{ beta_schedule: 'sigmoid' }, /beta_schedule.*"sigmoid"/],
    [{ prediction_type: 'sample' }, /prediction_type.*"sample"/],
    [{ timestep_spacing: 'random' }, /timestep_spacing/],
    [{ thresholding: true }, /dynamic thresholding/],
    [{ beta_start: 'small' }, /beta_start/],
    [{ _class_name: 'FlowMatchEulerDiscreteScheduler' }, /_class_name.*FlowMatch/],
    [{ rescale_betas_zero_snr: true }, /v_prediction/],
    [{ trained_betas: [0.1] }, /trained_betas holds 1/],
    ['text', /./],
  ])('%j is refused by name', (config, message) => {
    const read = () => parseSchedulerConfig(config);
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
  });

  it('names every bad value at once', () => {
    expect(() => parseSchedulerConfig({ beta_schedule: 'x', prediction_type: 'y' })).toThrow(
      /beta_schedule.*prediction_type/,
    );
  });

  it('refuses more steps than timesteps, and an offset past the end', () => {
    const scheduler = new Scheduler(parseSchedulerConfig({ steps_offset: 1 }));
    expect(() => scheduler.timesteps(1001)).toThrow(/between 1 and 1000/);
    expect(() => scheduler.timesteps(0)).toThrow(DataError);
    expect(() => scheduler.timesteps(1000)).toThrow(/steps_offset 1/);
  });
});
