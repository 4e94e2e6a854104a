/** @file DDIM sampling (Song et al., 2010.02502) with η = 0 and classifier-free guidance, step for step as diffusers does it. */
import type { Scheduler } from './scheduler.ts';
import type { Trajectory } from './trajectory.ts';

/**
 * The network: noisy latents [B, …], one timestep for all, embeddings [B, tokens, width] → prediction like the latents.
 * B is the number of pictures, or twice that under guidance (the negative half first).
 */
export type Denoise = (
  latents: Float32Array,
  timestep: number,
  embeddings: Float32Array,
) => Promise<Float32Array>;

export interface SampleOptions {
  readonly denoise: Denoise;
  readonly scheduler: Scheduler;
  /** Number of network evaluations. */
  readonly steps: number;
  /** w in prediction = negative + w·(positive − negative); 1: no guidance, half the work. */
  readonly guidance: number;
  /** Standard normal, [B, …]. */
  readonly noise: Float32Array;
  /** [B, tokens, width]. */
  readonly embeddings: Float32Array;
  /** [B, tokens, width]; unused if guidance is 1. */
  readonly negative?: Float32Array;
  /** After each step: how many are done. Throwing from here ends the sampling. */
  readonly onStep?: (done: number, total: number) => void | Promise<void>;
}

/** Two batches after one another. */
function joined(a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/**
 * One step from timestep t to `previous` (negative: the clean image), in place on `x`: x₀ and ε from the prediction, x₀ clipped if
 * the scheduler says so, then x = √ᾱ_prev·x₀ + √(1 − ᾱ_prev)·ε (formula 12 with σ = 0; ε is not derived anew from the clipped x₀).
 */
export function ddimStep(
  scheduler: Scheduler,
  x: Float32Array,
  prediction: Float32Array,
  t: number,
  previous: number,
): void {
  const { clip_sample: clip, clip_sample_range: range } = scheduler.config;
  const a = Math.sqrt(scheduler.alphaBar(t));
  const s = Math.sqrt(1 - scheduler.alphaBar(t));
  const aNext = Math.sqrt(scheduler.alphaBar(previous));
  const sNext = Math.sqrt(1 - scheduler.alphaBar(previous));
  const epsilonPrediction = scheduler.prediction === 'epsilon';
  for (let i = 0; i < x.length; i++) {
    const p = prediction[i]!;
    let x0 = epsilonPrediction ? (x[i]! - s * p) / a : a * x[i]! - s * p;
    const epsilon = epsilonPrediction ? p : a * p + s * x[i]!;
    if (clip) x0 = Math.min(range, Math.max(-range, x0));
    x[i] = aNext * x0 + sNext * epsilon;
  }
}

/** Pictures (or latents) from noise: [B, …] like `noise`. */
export async function sample(options: SampleOptions): Promise<Float32Array> {
  const { denoise, scheduler, steps, guidance, noise, embeddings } = options;
  const guided = guidance !== 1;
  if (guided && options.negative?.length !== embeddings.length)
    throw new RangeError('Guidance needs a negative embedding for every picture.');
  const conditions = guided ? joined(options.negative!, embeddings) : embeddings;
  const x = noise.slice();
  const timesteps = scheduler.timesteps(steps);
  const stride = scheduler.stride(steps);
  for (const [done, t] of timesteps.entries()) {
    let prediction = await denoise(guided ? joined(x, x) : x.slice(), t, conditions);
    if (guided) {
      const negative = prediction.subarray(0, x.length);
      prediction = prediction
        .subarray(x.length)
        .map((positive, i) => negative[i]! + guidance * (positive - negative[i]!));
    }
    ddimStep(scheduler, x, prediction, t, t - stride);
    await options.onStep?.(done + 1, steps);
  }
  return x;
}

/** The run as a whole: each step goes as far as the scheduler's stride. */
export function ddim(scheduler: Scheduler, steps: number): Trajectory {
  const timesteps = [...scheduler.timesteps(steps)];
  const stride = scheduler.stride(steps);
  return {
    timesteps,
    initial: 1,
    shown: (_, x) => x.slice(),
    step: (k, x, prediction) => ddimStep(scheduler, x, prediction, timesteps[k]!, timesteps[k]! - stride),
  };
}
