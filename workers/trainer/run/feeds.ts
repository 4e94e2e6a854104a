/** @file What a job's training step is fed with: everything follows from the seed and the step. */
import { drawDropout, hasDropout, keepFeed } from '#src/oft/rotation/dropout.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { ownFeeds } from '#src/program/names.ts';
import { random } from '#src/tasks/random.ts';
import type { Setup } from '../prepare/types.ts';

/** All feeds of micro-step `micro` of step `step` (0-based) at a learning rate. */
export function jobFeeds(
  setup: Setup,
): (step: number, micro: number, rate: number) => Promise<Record<string, TypedArray>> {
  const { job, layout, prepared } = setup;
  const { accumulate, seed, betas } = job.train;
  const dropping = hasDropout(layout);
  return async (step, micro, rate) => {
    // Once an update, whose micro-batches are to learn what one batch would.
    const numbers = random(seed, 'dropout', step);
    const own = {
      schedule: scheduleTensor(rate, betas, step + 1, micro === accumulate - 1),
      ...(dropping && { [keepFeed]: drawDropout(layout, () => numbers.uniform(1)[0]!) }),
    };
    return { ...(await prepared.feeds(step, micro)), ...ownFeeds(setup.program(setup.rounds).feeds, own) };
  };
}
