/** @file DDIM sampling (Song et al., 2010.02502) with η = 0, step for step as diffusers does it. */
import type { Scheduler } from './scheduler.ts';
import type { Trajectory } from './trajectory.ts';

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
