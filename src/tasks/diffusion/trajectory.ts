/** @file What a sampler is: the timesteps it asks the network at, and what it makes of each answer. */
import type { Scheduler } from './scheduler.ts';

/** One sampling run. Steps are taken in order, once each. */
export interface Trajectory {
  /** One per network evaluation, from the noisiest down. Euler's may lie between whole ones (linspace spacing). */
  readonly timesteps: readonly number[];
  /** Standard deviation of the first noise. */
  readonly initial: number;
  /** What the network is shown at step k: the latents, or those scaled; never `x` itself. */
  shown(k: number, x: Float32Array): Float32Array;
  /** The step after evaluation k, in place on `x`. */
  step(k: number, x: Float32Array, prediction: Float32Array): void;
}

/** A run of `steps` network evaluations. Throws DataError if there cannot be so many. */
export type Sampler = (scheduler: Scheduler, steps: number) => Trajectory;
