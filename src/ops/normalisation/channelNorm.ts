/** @file Normalisation per channel: InstanceNormalization, GroupNormalization, BatchNormalization (inference). */
import type { Builder } from '#src/graph/builder.ts';
import { float, floatAttr, intAttr } from '#src/graph/attributes.ts';
import { Contradiction, GraphError, type Shape, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { channelShape, isFilledWith, nodeLabel, requiredInput, scalarLike } from '../entries/common.ts';
import { stagedMean, stagedSum } from '../reduction/sums.ts';
import type { GradContext, Operator, ShapeContext } from '../types.ts';

const defaultEpsilon = 1e-5;

/** The axes after the channels. */
const spatialAxes = (shape: Shape): number[] => shape.map((_, i) => i).slice(2);

/** A per-channel vector, shaped to broadcast over a tensor with the channels on axis 1. */
const perChannel = (g: Builder, v: Value, rank: number): Value =>
  g.reshape(v, channelShape(v.shape[0]!, rank));

function checkChannels(ctx: ShapeContext, count: number): void {
  const x = requiredInput(ctx, 0);
  for (let i = 1; i < count; i++) {
    const v = requiredInput(ctx, i);
    if (v.shape.length !== 1 || v.shape[0] !== x.shape[1])
      throw new Contradiction(
        `${nodeLabel(ctx.node)}: input ${v.name} has shape [${v.shape.join()}], but [${x.shape[1] ?? '?'}], one per channel, is needed.`,
      );
  }
}

/**
 * Cotangent of x for x̂ = (x − mean)/σ over `axes`, given that of x̂: (a − mean a − x̂ mean(a x̂))/σ.
 * `deviation` is σ with the axes kept as 1.
 */
function throughNorm(g: Builder, a: Value, xhat: Value, deviation: Value, axes: readonly number[]): Value {
  const mean = stagedMean(g, a, axes, true);
  const along = g.mul(xhat, stagedMean(g, g.mul(a, xhat), axes, true));
  return g.div(g.sub(g.sub(a, mean), along), deviation);
}

/** x − mean and σ = √(var + ε) over the axes. */
function statistics(g: Builder, x: Value, axes: readonly number[], epsilon: number): [Value, Value] {
  const centred = g.sub(x, stagedMean(g, x, axes, true));
  const variance = stagedMean(g, g.mul(centred, centred), axes, true);
  return [centred, g.sqrt(g.add(variance, scalarLike(g, epsilon, x)))];
}

const instanceGrad = ({ g, node, inputs, outputs, grads, wants }: GradContext): (Value | null)[] => {
  const [x, scale, bias] = inputs as [Value, Value, Value];
  const dy = grads[0]!;
  // Summing over the spatial axes first leaves [N, C]: both accurate and what the driver sums over N.
  const summed = (v: Value): Value => stagedSum(g, v, spatialAxes(x.shape));
  if (!wants[0] && !wants[1]) return [null, null, summed(dy)];
  const axes = spatialAxes(x.shape);
  const [centred, deviation] = statistics(g, x, axes, floatAttr(node, 'epsilon', defaultEpsilon));
  const plain = isFilledWith(g, scale, 1);
  const xhat = plain && isFilledWith(g, bias, 0) ? outputs[0]! : g.div(centred, deviation);
  const dx = (): Value => {
    const a = plain ? dy : g.mul(dy, perChannel(g, scale, x.shape.length));
    return throughNorm(g, a, xhat, deviation, axes);
  };
  return [wants[0] ? dx() : null, wants[1] ? summed(g.mul(dy, xhat)) : null, wants[2] ? summed(dy) : null];
};

export const InstanceNormalization: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    checkChannels(ctx, 3);
    return [{ type: x.type, shape: x.shape }];
  },
  grad: instanceGrad,
};

/** x [N, C, …] seen as [N, groups, rest]. */
function grouped(g: Builder, x: Value, groups: number): Value {
  const [n, c, ...rest] = x.shape as [number, number, ...number[]];
  return g.reshape(x, [n, groups, (c / groups) * rest.reduce((a, b) => a * b, 1)]);
}

const groupGrad = ({ g, node, inputs, grads, wants }: GradContext): (Value | null)[] => {
  const [x, scale] = inputs as [Value, Value, Value];
  const dy = grads[0]!;
  const summed = (v: Value): Value => stagedSum(g, v, spatialAxes(x.shape));
  if (!wants[0] && !wants[1]) return [null, null, summed(dy)];
  const groups = intAttr(node, 'num_groups', 1);
  const x3 = grouped(g, x, groups);
  const [centred, deviation] = statistics(g, x3, [2], floatAttr(node, 'epsilon', defaultEpsilon));
  const xhat = g.div(centred, deviation);
  const dx = (): Value => {
    const a = g.mul(dy, perChannel(g, scale, x.shape.length));
    return g.reshape(throughNorm(g, grouped(g, a, groups), xhat, deviation, [2]), x.shape);
  };
  return [
    wants[0] ? dx() : null,
    wants[1] ? summed(g.mul(dy, g.reshape(xhat, x.shape))) : null,
    wants[2] ? summed(dy) : null,
  ];
};

/** Opset 18 has one scale and bias per group; opset 21 one per channel. No backend has a kernel: it is lowered. */
export const GroupNormalization: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const groups = intAttr(ctx.node, 'num_groups', 1);
    if ((x.shape[1] ?? 0) % groups !== 0)
      throw new Contradiction(
        `${nodeLabel(ctx.node)}: ${x.shape[1]} channels do not divide into ${groups} groups.`,
      );
    checkChannels(ctx, 3);
    return [{ type: x.type, shape: x.shape }];
  },
  grad: groupGrad,
  convert: (node, version, b) => {
    if (version >= 21) return node;
    const channels = b.value(node.inputs[0]!).shape[1]!;
    const groups = intAttr(node, 'num_groups', 1);
    const spread = (name: string): string => {
      const rows = b.expand(b.reshape(b.value(name), [groups, 1]), [groups, channels / groups]);
      return b.reshape(rows, [channels]).name;
    };
    const [x, scale, bias] = node.inputs as [string, string, string];
    return { ...node, inputs: [x, spread(scale), spread(bias)] };
  },
  webgpu: () => false,
  lower: (g, node, inputs) => {
    const [x, scale, bias] = inputs as [Value, Value, Value];
    const groups = intAttr(node, 'num_groups', 1);
    const filled = (v: number): Value => {
      if (x.type === 'float32' || x.type === 'float64')
        return g.constant(tensor(x.type, [groups], Array<number>(groups).fill(v)));
      return g.expand(scalarLike(g, v, x), [groups]);
    };
    const normal = g.emit('InstanceNormalization', [grouped(g, x, groups), filled(1), filled(0)], {
      epsilon: float(floatAttr(node, 'epsilon', defaultEpsilon)),
    });
    const rank = x.shape.length;
    const scaled = g.mul(g.reshape(normal, x.shape), perChannel(g, scale, rank));
    return [g.add(scaled, perChannel(g, bias, rank))];
  },
};

/** Below opset 9, spatial = 0: statistics for every element of an example, [C, D₁, D₂ …]; written out. */
function perElement(b: Builder, node: Node): Node {
  const [x, scale, bias, mean, variance] = node.inputs.map((name) => b.value(name)) as [
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const deviation = b.sqrt(b.add(variance, scalarLike(b, floatAttr(node, 'epsilon', defaultEpsilon), x)));
  const scaled = b.mul(b.sub(x, mean), b.div(scale, deviation));
  return {
    ...node,
    op: 'Add',
    inputs: [scaled.name, bias.name],
    outputs: node.outputs.slice(0, 1),
    attributes: {},
  };
}

/** y = scale (x − mean)/√(var + ε) + bias with running statistics; all five inputs have gradients. */
export const BatchNormalization: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    if (intAttr(ctx.node, 'training_mode', 0) !== 0)
      throw new GraphError(
        `${nodeLabel(ctx.node)}: is in training mode. Export the model in evaluation mode (model.eval()).`,
      );
    checkChannels(ctx, 5);
    return [{ type: x.type, shape: x.shape }];
  },
  grad: ({ g, node, inputs, grads, wants }) => {
    const [x, scale, , mean, variance] = inputs as [Value, Value, Value, Value, Value];
    const dy = grads[0]!;
    const rank = x.shape.length;
    const column = (v: Value): Value => perChannel(g, v, rank);
    const summed = (v: Value): Value => stagedSum(g, v, spatialAxes(x.shape));
    const deviation = g.sqrt(g.add(variance, scalarLike(g, floatAttr(node, 'epsilon', defaultEpsilon), x)));
    const slope = g.div(scale, deviation);
    const dMean = (): Value => g.neg(g.mul(summed(dy), slope));
    if (!wants[1] && !wants[4])
      return [
        wants[0] ? g.mul(dy, column(slope)) : null,
        null,
        wants[2] ? summed(dy) : null,
        wants[3] ? dMean() : null,
      ];
    const dScale = g.div(summed(g.mul(dy, g.sub(x, column(mean)))), deviation);
    // ∂y/∂var = −½ scale (x − mean) σ⁻³ = −½ (∂y/∂scale) scale σ⁻².
    const dVariance = (): Value => g.mul(g.mul(dScale, g.div(slope, deviation)), scalarLike(g, -0.5, x));
    return [
      wants[0] ? g.mul(dy, column(slope)) : null,
      wants[1] ? dScale : null,
      wants[2] ? summed(dy) : null,
      wants[3] ? dMean() : null,
      wants[4] ? dVariance() : null,
    ];
  },
  convert: (node, version, b) => {
    if (version < 9 && intAttr(node, 'spatial', 1) === 0) return perElement(b, node);
    // Older forms list statistics as optional outputs, and attributes that inference does not read.
    const { epsilon } = node.attributes;
    if (intAttr(node, 'training_mode', 0) !== 0 || version >= 15) return node;
    return { ...node, outputs: node.outputs.slice(0, 1), attributes: epsilon ? { epsilon } : {} };
  },
};
