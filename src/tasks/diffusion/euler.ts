/** @file Euler's method on the probability-flow ODE (Karras et al., 2206.00364, algorithm 1), as diffusers' EulerDiscreteScheduler takes it. */
import type { Scheduler } from './scheduler.ts';
import { karrasLevels, type Levels, sigmasOf } from './sigmas.ts';
import { spaced } from './spacing.ts';
import type { Trajectory } from './trajectory.ts';

/** Karras's levels lie between the ends of the spacing's. */
function levelsOf(scheduler: Scheduler, steps: number): Levels {
  const timesteps = [...spaced(scheduler.config, steps)];
  const sigmas = sigmasOf(scheduler, timesteps);
  if (!scheduler.config.use_karras_sigmas) return { timesteps, sigmas };
  return karrasLevels(scheduler, steps, sigmas[steps - 1]!, sigmas[0]!);
}

/**
 * The latents x = x₀ + σ·ε explode with σ, and the network sees x/√(σ² + 1). A step is x ← x + (σ_next − σ)·(x − x₀)/σ, with
 * x₀ = x − σ·ε, or x/(σ² + 1) − σ/√(σ² + 1)·v.
 */
export function euler(scheduler: Scheduler, steps: number): Trajectory {
  const { timesteps, sigmas } = levelsOf(scheduler, steps);
  const largest = sigmas.reduce((a, b) => Math.max(a, b), 0);
  const epsilon = scheduler.prediction === 'epsilon';
  return {
    timesteps,
    initial: scheduler.config.timestep_spacing === 'leading' ? Math.sqrt(largest * largest + 1) : largest,
    shown(k, x) {
      const scale = 1 / Math.sqrt(sigmas[k]! ** 2 + 1);
      return x.map((value) => value * scale);
    },
    step(k, x, prediction) {
      const sigma = sigmas[k]!;
      const by = sigmas[k + 1]! - sigma;
      const variance = sigma * sigma + 1;
      for (let i = 0; i < x.length; i++) {
        // (x − x₀)/σ is ε, or σ·x/(σ² + 1) + v/√(σ² + 1).
        const slope = epsilon
          ? prediction[i]!
          : (sigma * x[i]!) / variance + prediction[i]! / Math.sqrt(variance);
        x[i] = x[i]! + by * slope;
      }
    },
  };
}
