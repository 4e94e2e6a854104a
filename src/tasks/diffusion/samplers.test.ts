import { describe, expect, it } from 'vitest';
import { expectNumbers as near, json } from '../../../e2e/golden/testing/fixtures.ts';
import { parseSchedulerConfig } from './schedulerConfig.ts';
import { Scheduler } from './scheduler.ts';
import { sigmasOf } from './sigmas.ts';
import { type SamplerName, sample, samplers } from './sample.ts';

interface Case {
  readonly sampler: SamplerName;
  readonly name: string;
  readonly config: Record<string, unknown>;
  readonly runs: {
    steps: number;
    timesteps: number[];
    sigmas: number[];
    initial: number;
    noise: number[];
    result: number[];
  }[];
}
const { cases } = json('schedulers/samplers.json') as { cases: Case[] };

describe.each(cases)('$sampler on $name', (c) => {
  const scheduler = new Scheduler(parseSchedulerConfig(c.config));

  it.each(c.runs)(
    "takes diffusers' $steps steps",
    async ({ steps, timesteps, sigmas, initial, noise, result }) => {
      const trajectory = samplers[c.sampler](scheduler, steps);
      // diffusers holds linspace timesteps in float32. Under Karras it looks them up in ln σ of the float32 product ᾱ (relative error 6e-5), whose slope
      // is 0.004 or more.
      near(trajectory.timesteps, timesteps, 1e-7, c.config['use_karras_sigmas'] ? 0.01 : 0);
      // σ = √((1 − ᾱ)/ᾱ) with ᾱ in float32: an error of 2⁻²⁴ in ᾱ ≈ 1 is one of 2⁻²⁴/2σ in σ, and the cosine schedule begins at σ = 0.0064.
      if (!c.config['use_karras_sigmas']) near(sigmasOf(scheduler, trajectory.timesteps), sigmas, 1e-4, 5e-6);
      near([trajectory.initial], [initial], 1e-4, 5e-6);
      const x = await sample({
        denoise: async (latents, t) => latents.map((value) => Math.tanh(value + t / scheduler.length)),
        scheduler,
        sampler: c.sampler,
        steps,
        guidance: 1,
        noise: Float32Array.from(noise),
        conditions: {},
      });
      // diffusers steps in float32 from noise of this size down to pictures: one rounding of the noise stays.
      near(x, result, 5e-4, 5e-4 + 2 ** -23 * initial);
    },
  );
});

it('DPM-Solver++ refuses as many steps as there are timesteps: it needs one more', () => {
  const scheduler = new Scheduler(parseSchedulerConfig({ num_train_timesteps: 20 }));
  expect(() => samplers['dpm++_2m'](scheduler, 20)).toThrow(/between 1 and 19 steps/);
  expect(samplers['dpm++_2m'](scheduler, 19).timesteps).toHaveLength(19);
});
