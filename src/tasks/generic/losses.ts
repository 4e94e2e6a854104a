/** @file Losses as graph. Axes are averaged one at a time, the last first: the runtimes add in float32, in a plain running sum. */
import type { Builder } from '#src/graph/builder.ts';
import { GraphError, type Value } from '#src/graph/types.ts';
import { tensor } from '#src/onnx/tensor.ts';
import type { LossSum } from '#src/optim/loss.ts';
import type { Scale } from '#src/tasks/scores/scores.ts';

export const lossNames = ['mse', 'l1', 'huber', 'cross_entropy', 'bce', 'cosine'] as const;
export type LossName = (typeof lossNames)[number];

/** Loss per example: that of any number of them is Σ sum / Σ weight. */
export interface ExampleLosses {
  /** [B]. */
  readonly sum: Value;
  /** [B]: positions that count; null: 1 each. */
  readonly weight: Value | null;
}

const shown = (v: Value): string => `${v.name} [${v.shape.join()}]`;

function sumLast(g: Builder, x: Value, keep: number): Value {
  while (x.shape.length > keep) x = g.reduceSum(x, [x.shape.length - 1]);
  return x;
}

function meanLast(g: Builder, x: Value, keep = 1): Value {
  while (x.shape.length > keep) x = g.reduceMean(x, [x.shape.length - 1]);
  return x.shape.length < keep ? g.reshape(x, [1]) : x;
}

function sameShape(name: string, prediction: Value, target: Value): void {
  if (prediction.shape.join() !== target.shape.join())
    throw new GraphError(
      `The loss ${name} compares equal shapes, but the model gives ${shown(prediction)} and the target is ${shown(target)}. Give targets of that shape, or choose another loss.`,
    );
}

/** x·x/2 for |x| ≤ δ, δ(|x| − δ/2) beyond: with c = min(|x|, δ) both are c(|x| − c/2). */
function huber(g: Builder, x: Value, delta: number): Value {
  const size = g.emit('Abs', [x]);
  const cut = g.emit('Min', [size, g.scalar(delta)]);
  return g.mul(cut, g.sub(size, g.mul(cut, g.scalar(0.5))));
}

/** The axis of the classes: where labels lack it. torch's (after the batch) only if the last does not fit. */
export function classAxis(prediction: readonly number[], labels: readonly number[]): number {
  const without = (axis: number): string => prediction.filter((_, i) => i !== axis).join();
  const last = prediction.length - 1;
  if (last >= 0 && without(last) === labels.join()) return last;
  return prediction.length > 1 && without(1) === labels.join() ? 1 : -1;
}

/** Label of positions that do not count, as in torch. */
export const ignoredLabel = -100;

/**
 * −ln softmax(logits) at the labels; of log-probabilities, what they are there.
 * @param target integer labels [B, …] without the axis of the classes ({@link ignoredLabel}: left out), or shares of each class, shaped like the logits, classes last
 */
function crossEntropy(g: Builder, logits: Value, target: Value, scale: Scale): ExampleLosses {
  const logOf = (axis: number): Value =>
    scale === 'logits' ? g.emit('LogSoftmax', [logits], { axis }) : logits;
  if (target.type.startsWith('float')) {
    sameShape('cross_entropy', logits, target);
    const log = logOf(-1);
    const each = g.neg(g.reduceSum(g.mul(target, log), [logits.shape.length - 1]));
    return { sum: meanLast(g, each), weight: null };
  }
  const axis = classAxis(logits.shape, target.shape);
  if (axis < 0)
    throw new GraphError(
      `cross_entropy takes labels shaped like the logits ${shown(logits)} without their classes, not ${shown(target)}. Give labels of that shape, or choose another loss.`,
    );
  const log = logOf(axis);
  const labels = g.cast(target, 'int32');
  const count = logits.shape[axis]!;
  const wide = [...labels.shape.slice(0, axis), 1, ...labels.shape.slice(axis)];
  const classes = g.constant(
    tensor(
      'int32',
      logits.shape.map((_, i) => (i === axis ? count : 1)),
      Array.from({ length: count }, (_, i) => i),
    ),
    'classes',
  );
  const chosen = g.cast(g.emit('Equal', [g.reshape(labels, wide), classes]), 'float32');
  const each = g.neg(g.reduceSum(g.mul(chosen, log), [axis]));
  const valid = g.emit('Not', [g.emit('Equal', [labels, g.scalar(ignoredLabel, 'int32')])]);
  return { sum: sumLast(g, each, 1), weight: sumLast(g, g.cast(valid, 'float32'), 1) };
}

/** ln(1 + eˣ) − x·t: −t ln σ(x) − (1 − t) ln(1 − σ(x)) without overflow. */
const binary = (g: Builder, x: Value, t: Value): Value => g.sub(g.emit('Softplus', [x]), g.mul(x, t));

/** 1 − cos of the angle between rows (last axis); the product of lengths is at least 1e-8, as in torch. */
function cosine(g: Builder, a: Value, b: Value): Value {
  const last = [a.shape.length - 1];
  const square = g.mul(g.reduceSum(g.mul(a, a), last), g.reduceSum(g.mul(b, b), last));
  const lengths = g.sqrt(g.emit('Max', [square, g.scalar(1e-16)]));
  return g.sub(g.scalar(1), g.div(g.reduceSum(g.mul(a, b), last), lengths));
}

/**
 * Loss of each example.
 * @param delta where Huber's loss turns from square to straight
 * @param scale of what cross_entropy takes; bce takes logits
 * @throws GraphError where shapes do not fit
 */
export function exampleLosses(
  g: Builder,
  name: LossName,
  prediction: Value,
  target: Value,
  { delta = 1, scale = 'logits' }: { readonly delta?: number; readonly scale?: Scale } = {},
): ExampleLosses {
  if (name === 'cross_entropy') return crossEntropy(g, prediction, target, scale);
  sameShape(name, prediction, target);
  if (name === 'bce') return { sum: meanLast(g, binary(g, prediction, target)), weight: null };
  if (name === 'cosine') {
    if (prediction.shape.length < 2)
      throw new GraphError(
        `The loss cosine compares rows, but the model gives ${shown(prediction)}. Choose another loss.`,
      );
    return { sum: meanLast(g, cosine(g, prediction, target)), weight: null };
  }
  const difference = g.sub(prediction, target);
  const each =
    name === 'mse'
      ? g.mul(difference, difference)
      : name === 'l1'
        ? g.emit('Abs', [difference])
        : huber(g, difference, delta);
  return { sum: meanLast(g, each), weight: null };
}

/** The batch's loss. */
export const batchLoss = (g: Builder, { sum, weight }: ExampleLosses): LossSum => ({
  sum: g.reduceSum(sum, [0]),
  count: weight ? g.reduceSum(weight, [0]) : g.scalar(sum.shape[0]!),
});
