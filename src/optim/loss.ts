/** @file A loss as a sum and what it is divided by: micro-batches add both up, so that an update is that of one batch of all they hold. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';

/** The loss of a batch is sum / count; of several batches together Σ sum / Σ count. */
export interface LossSum {
  /** [], float32: Σ w·loss over whatever the loss is a mean of (examples, tokens, pixels). */
  readonly sum: Value;
  /** [], float32: Σ w, which must not depend on anything trained. 0: nothing of the batch counts. */
  readonly count: Value;
}

/** What sums are divided by: the count, or 1 where nothing counts, so that loss and gradient are 0 and not NaN. */
export function divisor(g: Builder, count: Value): Value {
  if (g.constantValue(count)) return count;
  return g.where(g.emit('Greater', [count, g.scalar(0)]), count, g.scalar(1));
}

/** sum / count, []. */
export const lossMean = (g: Builder, { sum, count }: LossSum): Value => g.div(sum, divisor(g, count));

/**
 * A loss that is a mean already.
 * @param mean []
 * @param count how many things it is the mean of, each weighing 1; of no matter where all batches hold equally many
 */
export const meanOver = (g: Builder, mean: Value, count = 1): LossSum => ({
  sum: count === 1 ? mean : g.mul(mean, g.scalar(count)),
  count: g.scalar(count),
});
