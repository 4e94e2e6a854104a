/** @file Noise levels σ = √((1 − ᾱ)/ᾱ) in the variance-exploding frame, where Euler and DPM-Solver++ take their steps. */
import type { Scheduler } from './scheduler.ts';

/** ᾱ of a zero-SNR schedule's last timestep in diffusers: σ stays finite (4096). */
const smallestAlpha = 2 ** -24;

/** Number of the last entry: an ᾱ of exactly 0 has no σ. */
function sigmaAt(scheduler: Scheduler, t: number): number {
  const { alphasCumprod, config } = scheduler;
  const last = t === alphasCumprod.length - 1;
  const alpha = config.rescale_betas_zero_snr && last ? smallestAlpha : alphasCumprod[t]!;
  return Math.sqrt((1 - alpha) / alpha);
}

/**
 * σ at each timestep, linear between whole ones, then 0.
 * @returns one more than there are timesteps
 */
export function sigmasOf(scheduler: Scheduler, timesteps: readonly number[]): Float64Array {
  const at = (t: number): number => {
    const low = Math.floor(t);
    const sigma = sigmaAt(scheduler, low);
    return t === low ? sigma : sigma + (t - low) * (sigmaAt(scheduler, low + 1) - sigma);
  };
  return Float64Array.from([...timesteps.map(at), 0]);
}
