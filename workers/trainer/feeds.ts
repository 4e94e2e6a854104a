/** @file What a job's training step is fed with: everything follows from the seed and the step. */
import { drawDropout, hasDropout, keepFeed } from '#src/oft/dropout.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { random } from '#src/tasks/random.ts';
import type { Setup } from './setup.ts';

/** All feeds of micro-step `micro` of step `step` (0-based) at a learning rate. */
export function jobFeeds(
  setup: Setup,
): (step: number, micro: number, rate: number) => Promise<Record<string, TypedArray>> {
  const { job, layout, prepared } = setup;
  const { accumulate, seed, betas } = job.train;
  const dropping = hasDropout(layout);
  return async (step, micro, rate) => {
    const feeds = {
      ...(await prepared.feeds(step, micro)),
      schedule: scheduleTensor(rate, betas, step + 1, micro === accumulate - 1),
    };
    if (!dropping) return feeds;
    const numbers = random(seed, 'dropout', step * accumulate + micro);
    return { ...feeds, [keepFeed]: drawDropout(layout, () => numbers.uniform(1)[0]!) };
  };
}
