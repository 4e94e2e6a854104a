/** @file Sampling with classifier-free guidance: pictures (or latents) from noise. */
import type { Tensors } from '../types.ts';
import { ddim } from './ddim.ts';
import { dpmSolver } from './dpmSolver.ts';
import { euler } from './euler.ts';
import { joined } from './rows.ts';
import type { Scheduler } from './scheduler.ts';
import type { Sampler } from './trajectory.ts';

export const samplerNames = ['ddim', 'euler', 'dpm++_2m'] as const;
export type SamplerName = (typeof samplerNames)[number];

export const samplers: Readonly<Record<SamplerName, Sampler>> = {
  ddim,
  euler,
  'dpm++_2m': dpmSolver,
};

/**
 * The network: noisy latents [B, …], one timestep for all, what it is told of each picture (tensors of B rows) → prediction like the latents.
 * B is the number of pictures, or twice that under guidance (the negative half first).
 */
export type Denoise = (latents: Float32Array, timestep: number, conditions: Tensors) => Promise<Float32Array>;

export interface SampleOptions {
  readonly denoise: Denoise;
  readonly scheduler: Scheduler;
  readonly sampler?: SamplerName;
  /** Number of network evaluations. */
  readonly steps: number;
  /** w in prediction = negative + w·(positive − negative); 1: no guidance, half the work. */
  readonly guidance: number;
  /** Standard normal, [B, …]. */
  readonly noise: Float32Array;
  /** Tensors of B rows. */
  readonly conditions: Tensors;
  /** Like the conditions; unused if guidance is 1. */
  readonly negative?: Tensors;
  /** After each step: how many are done. Throwing from here ends the sampling. */
  readonly onStep?: (done: number, total: number) => void | Promise<void>;
}

/** Every tensor of the negative, with that of the conditions after it. */
function bothHalves(negative: Tensors | undefined, conditions: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(conditions).map(([name, rows]) => {
      const other = negative?.[name];
      if (other?.length !== rows.length)
        throw new RangeError('Guidance needs a negative condition for every picture.');
      return [name, joined([other, rows])];
    }),
  );
}

/** [B, …] like `noise`. */
export async function sample(options: SampleOptions): Promise<Float32Array> {
  const { denoise, scheduler, steps, guidance } = options;
  const guided = guidance !== 1;
  const conditions = guided ? bothHalves(options.negative, options.conditions) : options.conditions;
  const trajectory = samplers[options.sampler ?? 'ddim'](scheduler, steps);
  const x = options.noise.map((value) => value * trajectory.initial);
  for (const [k, t] of trajectory.timesteps.entries()) {
    const shown = trajectory.shown(k, x);
    let prediction = await denoise(guided ? joined([shown, shown]) : shown, t, conditions);
    if (guided) {
      const negative = prediction.subarray(0, x.length);
      prediction = prediction
        .subarray(x.length)
        .map((positive, i) => negative[i]! + guidance * (positive - negative[i]!));
    }
    trajectory.step(k, x, prediction);
    await options.onStep?.(k + 1, steps);
  }
  return x;
}
