/** @file The loss of classifiers: cross-entropy against shares of the classes, weighted and smoothed as torch does. */
import type { Builder } from '#src/graph/builder.ts';
import { feedKey } from '#src/graph/names.ts';
import type { Value } from '#src/graph/types.ts';
import type { LossSum } from '#src/optim/loss.ts';
import { batchLoss, exampleLosses } from '#src/tasks/generic/losses.ts';
import type { Scale } from '#src/tasks/scores/scores.ts';
import type { Tensors } from '#src/tasks/types.ts';

/** Feeds of the loss: [B, C], the wanted share of each class times its weight; and [B], the weight of each example's own class. */
const targetFeed = 'target';
const weightFeed = 'target_weight';

/** −Σ target·ln p over Σ weight, with ln p = ln softmax(logits), or as it is given. */
export function classLoss(g: Builder, logits: Value, scale: Scale): LossSum {
  const [batch, classes] = logits.shape as [number, number];
  const rows = g.reshape(logits, [batch, classes]);
  const target = g.input(targetFeed, 'float32', [batch, classes]);
  const weight = g.input(weightFeed, 'float32', [batch]);
  return batchLoss(g, { sum: exampleLosses(g, 'cross_entropy', rows, target, { scale }).sum, weight });
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
 * Feeds of {@link classLoss}: rows q_c·w_c with q = (1 − ε)·[c = label] + ε/C, and w_label, the sum of which torch's CrossEntropyLoss with weights and
 * smoothing ε divides by.
 * @param inputs of the model, which may have these names
 */
export function targetFeeds(
  labels: readonly number[],
  weights: Float64Array,
  smoothing: number,
  inputs: readonly { readonly name: string }[],
): Tensors {
  const classes = weights.length;
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => {
    for (let c = 0; c < classes; c++) {
      const share = (c === label ? 1 - smoothing : 0) + smoothing / classes;
      rows[i * classes + c] = share * weights[c]!;
    }
  });
  return {
    [feedKey(targetFeed, inputs)]: rows,
    [feedKey(weightFeed, inputs)]: Float32Array.from(labels, (label) => weights[label]!),
  };
}
