/** @file ONNX Runtime's normalisations that add a residual first: sums, then the standard operator. */
import type { Builder } from '#src/graph/builder.ts';
import { float, floatAttr, intAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { expanded, needed } from '../entries/expansion.ts';
import type { Operator } from '../types.ts';

/** The runtime's own default; ONNX's is 1e-5. */
const defaultEpsilon = 1e-12;

const residual = (g: Builder, node: Node, inputs: readonly (Value | null)[], bias: number): Value => {
  const sum = g.add(needed(node, inputs, 0, 'input'), needed(node, inputs, 1, 'skip'));
  return inputs[bias] ? g.add(sum, inputs[bias]) : sum;
};

/** LayerNormalization of input + skip + bias; output 3 is that sum. */
export const SkipLayerNormalization: Operator = expanded((g, node, inputs) => {
  const sum = residual(g, node, inputs, 4);
  const epsilon = float(floatAttr(node, 'epsilon', defaultEpsilon));
  const y = layerNorm(g, sum, needed(node, inputs, 2, 'gamma'), inputs[3], epsilon.value as number);
  return [y, null, null, sum];
});

/** LayerNormalization over the last axis. A missing bias is left out. */
export const layerNorm = (
  g: Builder,
  x: Value,
  scale: Value,
  bias: Value | null | undefined,
  epsilon: number,
): Value =>
  g.emit('LayerNormalization', bias ? [x, scale, bias] : [x, scale], { axis: -1, epsilon: float(epsilon) });

const rmsNorm = (g: Builder, node: Node, x: Value, scale: Value, epsilon: number): Value =>
  g.emit('SimplifiedLayerNormalization', [x, scale], {
    axis: intAttr(node, 'axis', -1),
    epsilon: float(floatAttr(node, 'epsilon', epsilon)),
    stash_type: 1,
  });

/** RMS normalisation of input + skip + bias; output 3 is that sum. */
export const SkipSimplifiedLayerNormalization: Operator = expanded((g, node, inputs) => {
  const sum = residual(g, node, inputs, 3);
  return [rmsNorm(g, node, sum, needed(node, inputs, 2, 'gamma'), defaultEpsilon), null, null, sum];
});

/** The runtime's RMS normalisation under its own domain's name. */
export const contribSimplifiedLayerNormalization: Operator = expanded((g, node, inputs) => [
  rmsNorm(g, node, needed(node, inputs, 0, 'input'), needed(node, inputs, 1, 'scale'), 1e-5),
]);

/** x·σ(x) where the attribute asks for it. */
const activated = (g: Builder, node: Node, x: Value): Value =>
  intAttr(node, 'activation', 0) === 1 ? g.mul(x, g.emit('Sigmoid', [x])) : x;

/** Group normalisation of [batch, …, channels], or of [batch, channels, …] where channels_last is 0. */
function groupNorm(g: Builder, node: Node, x: Value, gamma: Value, beta: Value): Value {
  const last = intAttr(node, 'channels_last', 1) !== 0;
  const rank = x.shape.length;
  const axes = x.shape.map((_, i) => i);
  const first = last ? g.transpose(x, [0, rank - 1, ...axes.slice(1, -1)]) : x;
  const y = g.emit('GroupNormalization', [first, g.cast(gamma, x.type), g.cast(beta, x.type)], {
    num_groups: intAttr(node, 'groups', 1),
    epsilon: float(floatAttr(node, 'epsilon', 1e-5)),
  });
  return activated(g, node, last ? g.transpose(y, [0, ...axes.slice(2), 1]) : y);
}

export const GroupNorm: Operator = expanded((g, node, inputs) => [
  groupNorm(
    g,
    node,
    needed(node, inputs, 0, 'input'),
    needed(node, inputs, 1, 'gamma'),
    needed(node, inputs, 2, 'beta'),
  ),
]);

/** GroupNorm of x + skip + bias, which is the second output; skip may hold one number per channel and image. */
export const SkipGroupNorm: Operator = expanded((g, node, inputs) => {
  const x = needed(node, inputs, 0, 'input');
  const skip = needed(node, inputs, 3, 'skip');
  const perImage = (v: Value): Value =>
    v.shape.length === 2 ? g.reshape(v, [v.shape[0]!, 1, 1, v.shape[1]!]) : v;
  const sum = g.add(x, perImage(skip));
  const total = inputs[4] ? g.add(sum, inputs[4]) : sum;
  return [
    groupNorm(g, node, total, needed(node, inputs, 1, 'gamma'), needed(node, inputs, 2, 'beta')),
    total,
  ];
});
