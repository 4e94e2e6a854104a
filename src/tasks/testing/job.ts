/** @file A job for tests of tasks. */
import type { TaskJob } from '../types.ts';

type Parts = { readonly [K in 'data' | 'train' | 'sample']?: Partial<TaskJob[K]> };

/** What a test does not say: batch 4, seed 0, nothing held out, no samples. */
export const testJob = (task: string, options: object = {}, parts: Parts = {}): TaskJob => ({
  task,
  options,
  data: { train: 'train', heldout: null, split: 0, captionDropout: 0, flip: false, ...parts.data },
  train: { steps: 10, batch: 4, accumulate: 1, seed: 0, minSnr: 0, ...parts.train },
  sample: { prompts: [], negative: '', steps: 1, guidance: 1, seed: 0, every: 0, ...parts.sample },
});
