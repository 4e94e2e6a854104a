/** @file Noise levels σ = √((1 − ᾱ)/ᾱ) in the variance-exploding frame, where Euler and DPM-Solver++ take their steps. */
import type { Scheduler } from './scheduler.ts';
import { linspace } from './spacing.ts';

/** ᾱ of a zero-SNR schedule's last timestep in diffusers: σ stays finite (4096). */
const smallestAlpha = 2 ** -24;

/** Number of the last entry: an ᾱ of exactly 0 has no σ. */
function sigmaAt(scheduler: Scheduler, t: number): number {
  const { alphasCumprod, config } = scheduler;
  const last = t === alphasCumprod.length - 1;
  const alpha = config.rescale_betas_zero_snr && last ? smallestAlpha : alphasCumprod[t]!;
  return Math.sqrt((1 - alpha) / alpha);
}

/** Where sampling ends: at 0, or at the least level of the schedule, as the file says. */
const lastOf = (scheduler: Scheduler): number =>
  scheduler.config.final_sigmas_type === 'zero' ? 0 : sigmaAt(scheduler, 0);

/**
 * σ at each timestep, linear between whole ones, then the last level.
 * @returns one more than there are timesteps
 */
export function sigmasOf(scheduler: Scheduler, timesteps: readonly number[]): Float64Array {
  const at = (t: number): number => {
    const low = Math.floor(t);
    const sigma = sigmaAt(scheduler, low);
    return t === low ? sigma : sigma + (t - low) * (sigmaAt(scheduler, low + 1) - sigma);
  };
  return Float64Array.from([...timesteps.map(at), lastOf(scheduler)]);
}

/** Least and largest level of the whole schedule. */
export const sigmaRange = (scheduler: Scheduler): readonly [least: number, largest: number] => [
  sigmaAt(scheduler, 0),
  sigmaAt(scheduler, scheduler.length - 1),
];

/** Levels, the timesteps that the network is asked at, one fewer. */
export interface Levels {
  readonly timesteps: readonly number[];
  readonly sigmas: Float64Array;
}

/**
 * Karras et al. (2206.00364), formula 5 with ρ = 7: levels evenly spaced in σ^(1/ρ), from the largest down, then the last one; timesteps
 * lie between whole ones.
 */
export function karrasLevels(scheduler: Scheduler, steps: number, least: number, largest: number): Levels {
  const [from, to] = [largest ** (1 / 7), least ** (1 / 7)];
  const sigmas = linspace(from, to, steps).map((root) => root ** 7);
  return {
    timesteps: Array.from(sigmas, (sigma) => timestepOf(scheduler, sigma)),
    sigmas: Float64Array.from([...sigmas, lastOf(scheduler)]),
  };
}

/** Where the schedule has a level, linear in ln σ between whole timesteps. */
function timestepOf(scheduler: Scheduler, sigma: number): number {
  let [low, high] = [0, scheduler.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sigmaAt(scheduler, middle) <= sigma) low = middle;
    else high = middle;
  }
  const [below, above] = [Math.log(sigmaAt(scheduler, low)), Math.log(sigmaAt(scheduler, high))];
  return low + Math.min(1, Math.max(0, (Math.log(sigma) - below) / (above - below)));
}
