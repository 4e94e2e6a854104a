/** @file DPM-Solver++ of second order, multistep, midpoint (Lu et al., 2211.01095, algorithm 2), as diffusers' DPMSolverMultistepScheduler takes it. */
import type { Scheduler } from './scheduler.ts';
import { roundEven } from '#src/platform/roundEven.ts';
import { karrasLevels, type Levels, sigmaRange, sigmasOf } from './sigmas.ts';
import { withoutCleanest } from './spacing.ts';
import type { Trajectory } from './trajectory.ts';

/** Karras's levels lie between the ends of the whole schedule; the network is asked at whole timesteps, as diffusers asks it. */
function levelsOf(scheduler: Scheduler, steps: number): Levels {
  const timesteps = [...withoutCleanest(scheduler.config, steps)];
  if (!scheduler.config.use_karras_sigmas) return { timesteps, sigmas: sigmasOf(scheduler, timesteps) };
  const levels = karrasLevels(scheduler, steps, ...sigmaRange(scheduler));
  const cosine = scheduler.config.beta_schedule === 'squaredcos_cap_v2';
  return { ...levels, timesteps: levels.timesteps.map((t) => (cosine ? Math.floor(t) : roundEven(t))) };
}

/**
 * With α = 1/√(σ̂² + 1), σ = σ̂·α, λ = ln(α/σ) = −ln σ̂ and h = λ_next − λ:
 * x ← (σ_next/σ)·x − α_next(e^−h − 1)·D, D = x₀ + (x₀ − x₀_before)·h/(2·h_before); D = x₀ in the first step and in the last, where that ends
 * at σ = 0 and so e^−h = 0.
 */
export function dpmSolver(scheduler: Scheduler, steps: number): Trajectory {
  const { timesteps, sigmas: levels } = levelsOf(scheduler, steps);
  // diffusers ends at first order where few steps are taken, or σ = 0.
  const plainEnd = scheduler.config.final_sigmas_type === 'zero' || steps < 15;
  const alpha = levels.map((s) => 1 / Math.sqrt(s * s + 1));
  const sigma = levels.map((s, k) => s * alpha[k]!);
  const lambda = levels.map((s) => -Math.log(s));
  const epsilon = scheduler.prediction === 'epsilon';
  let before: Float64Array | undefined;
  return {
    timesteps,
    initial: 1,
    shown: (_, x) => x.slice(),
    step(k, x, prediction) {
      const [a, s] = [alpha[k]!, sigma[k]!];
      const clean = Float64Array.from(x, (value, i) =>
        epsilon ? (value - s * prediction[i]!) / a : a * value - s * prediction[i]!,
      );
      const h = lambda[k + 1]! - lambda[k]!;
      const slope = before && !(plainEnd && k === steps - 1) ? h / (2 * (lambda[k]! - lambda[k - 1]!)) : 0;
      const keep = sigma[k + 1]! / s;
      const gain = -alpha[k + 1]! * Math.expm1(-h);
      for (let i = 0; i < x.length; i++)
        x[i] = keep * x[i]! + gain * (clean[i]! + slope * (clean[i]! - (before?.[i] ?? 0)));
      before = clean;
    },
  };
}
