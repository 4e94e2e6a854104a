/** @file Which timesteps a sampling run visits (table 2 of Lin et al., 2305.08891), as diffusers' schedulers place them. */
import { roundEven } from '#src/platform/roundEven.ts';
import { DataError } from '#src/tasks/files.ts';
import type { SchedulerConfig } from './schedulerConfig.ts';

/** n numbers evenly from first to last. */
export const linspace = (first: number, last: number, n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => (n === 1 ? first : first + ((last - first) * i) / (n - 1)));

function checkSteps(steps: number, most: number): void {
  if (!Number.isInteger(steps) || steps < 1 || steps > most)
    throw new DataError(
      `A picture takes between 1 and ${most} steps with this scheduler, not ${steps}. Choose as many.`,
    );
}

/** From the noisiest down; throws if the first lies beyond the schedule. */
function descending(config: SchedulerConfig, ascending: Float64Array): Float64Array {
  const first = ascending.at(-1)!;
  const total = config.num_train_timesteps;
  if (first >= total)
    throw new DataError(
      `With ${ascending.length} steps and steps_offset ${config.steps_offset} sampling would begin at timestep ${first}, beyond the last one (${total - 1}). Take fewer steps.`,
    );
  return ascending.reverse();
}

/**
 * Timesteps by the config's spacing, from the noisiest down; under linspace they may lie between whole ones.
 * @throws DataError if there cannot be so many steps
 */
export function spaced(config: SchedulerConfig, steps: number): Float64Array {
  const { num_train_timesteps: total, steps_offset: shift, timestep_spacing: spacing } = config;
  checkSteps(steps, total);
  switch (spacing) {
    case 'leading': {
      const stride = Math.floor(total / steps);
      return descending(
        config,
        Float64Array.from({ length: steps }, (_, i) => i * stride + shift),
      );
    }
    case 'trailing':
      return descending(
        config,
        Float64Array.from(
          { length: steps },
          (_, i) => roundEven(total - (steps - 1 - i) * (total / steps)) - 1,
        ),
      );
    case 'linspace':
      return descending(config, linspace(0, total - 1, steps));
  }
}

/**
 * As diffusers' DPM-Solver places them: whole timesteps, one more than asked for, of which the cleanest is left out; under trailing
 * spacing those of all others.
 * @throws DataError if there cannot be so many steps
 */
export function withoutCleanest(config: SchedulerConfig, steps: number): Float64Array {
  const { num_train_timesteps: total, steps_offset: shift, timestep_spacing: spacing } = config;
  if (spacing === 'trailing') return spaced(config, steps);
  checkSteps(steps, total - 1);
  const stride = Math.floor(total / (steps + 1));
  const all =
    spacing === 'leading'
      ? Float64Array.from({ length: steps + 1 }, (_, i) => i * stride + shift)
      : linspace(0, total - 1, steps + 1).map(roundEven);
  return descending(config, all).subarray(0, steps);
}
