/** @file The loss of classifiers: cross-entropy against shares of the classes, weighted and smoothed as torch does. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { exampleLosses } from '#src/tasks/generic/losses.ts';
import type { Scale } from '#src/tasks/scores/scores.ts';

/** Feed of the loss: [B, C], the wanted share of each class times its weight over the batch's weights. */
export const targetFeed = 'target';

/** −Σ target·ln p over the batch, a scalar, with ln p = ln softmax(logits), or as it is given; the target's rows are weighted already. */
export function classLoss(g: Builder, logits: Value, scale: Scale): Value {
  const [batch, classes] = logits.shape as [number, number];
  const rows = g.reshape(logits, [batch, classes]);
  const target = g.input(targetFeed, 'float32', [batch, classes]);
  return g.reduceSum(exampleLosses(g, 'cross_entropy', rows, target, { scale }).sum, [0]);
}

/**
 * Weights by class. Balanced: N/(K·n) of a class with n of N examples, K classes in use, as scikit-learn's class_weight has it: the mean over the examples is 1.
 * @param labels of the training examples
 * @param count of classes
 */
export function classWeights(
  labels: readonly number[],
  count: number,
  kind: 'none' | 'balanced',
): Float64Array {
  const counts = new Float64Array(count);
  for (const label of labels) counts[label] = counts[label]! + 1;
  const used = counts.filter((n) => n > 0).length;
  return counts.map((n) => (kind === 'balanced' && n > 0 ? labels.length / (used * n) : 1));
}

/**
 * Rows q_c·w_c / Σ w_label with q = (1 − ε)·[c = label] + ε/C: what torch's CrossEntropyLoss with weights and smoothing ε has before the logarithm.
 * @returns [B, C] for {@link targetFeed}
 */
export function targetRows(
  labels: readonly number[],
  weights: Float64Array,
  smoothing: number,
): Float32Array {
  const classes = weights.length;
  const out = new Float32Array(labels.length * classes);
  const total = labels.reduce((sum, label) => sum + weights[label]!, 0);
  labels.forEach((label, i) => {
    for (let c = 0; c < classes; c++) {
      const share = (c === label ? 1 - smoothing : 0) + smoothing / classes;
      out[i * classes + c] = (share * weights[c]!) / total;
    }
  });
  return out;
}
