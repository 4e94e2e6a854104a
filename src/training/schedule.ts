/** @file The learning rate over a run. */

export interface ScheduleOptions {
  readonly kind: 'constant' | 'linear' | 'cosine';
  /** Steps in the whole run. */
  readonly steps: number;
  /** The first so many steps rise linearly. */
  readonly warmup: number;
  readonly learningRate: number;
  /** Where linear and cosine would be one step after the last, as a share of learningRate. */
  readonly finalShare: number;
}

/**
 * Learning rate of step k (0-based). Warm-up: learningRate·(k + 1)/warmup, so that no step is wasted at 0 and the full rate is reached at
 * step warmup − 1. Then with p = (k − warmup)/(steps − warmup), from 0 towards 1: linear 1 − (1 − f)·p, cosine f + (1 − f)·(1 + cos πp)/2,
 * f = finalShare.
 */
export function learningRateAt(options: ScheduleOptions, k: number): number {
  const { kind, steps, warmup, learningRate, finalShare } = options;
  if (k < warmup) return (learningRate * (k + 1)) / warmup;
  const p = Math.min(1, (k - warmup) / Math.max(1, steps - warmup));
  switch (kind) {
    case 'constant':
      return learningRate;
    case 'linear':
      return learningRate * (1 - (1 - finalShare) * p);
    case 'cosine':
      return learningRate * (finalShare + ((1 - finalShare) * (1 + Math.cos(Math.PI * p))) / 2);
  }
}
