/** @file Softmax and its logarithm. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { axisIndex, requiredInput, scalarLike } from '../entries/common.ts';
import type { GradRule, Operator } from '../types.ts';

/** Before opset 13 the input is flattened to two dims at `axis` (default 1) and the rows are normalised. */
const convert: Operator['convert'] = (node, version, b) => {
  if (version >= 13) return node;
  const x = b.value(node.inputs[0]!);
  const rank = x.shape.length;
  const axis = rank === 0 ? 0 : axisIndex(node, intAttr(node, 'axis', 1), rank);
  const last = { axis: { kind: 'int' as const, value: -1 } };
  if (axis >= rank - 1) return { ...node, attributes: last };
  const rows = b.reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
  const normal = node.op === 'Hardmax' ? firstMaximum(b, rows, 1) : b.emit(node.op, [rows], last);
  return { ...node, op: 'Reshape', inputs: [normal.name, b.ints(x.shape).name], attributes: {} };
};

const shape: Operator['shape'] = (ctx) => {
  const x = requiredInput(ctx, 0);
  if (x.shape.length > 0) axisIndex(ctx.node, intAttr(ctx.node, 'axis', -1), x.shape.length);
  return [{ type: x.type, shape: x.shape }];
};

/** dx = y (dy − Σ y dy). Masked positions have y = 0, and stay 0. */
const softmaxGrad: GradRule = ({ g, node, outputs: [y], grads: [dy] }) => {
  const axis = axisIndex(node, intAttr(node, 'axis', -1), y!.shape.length);
  const inner = g.reduceSum(g.mul(dy!, y!), [axis], true);
  return [g.mul(g.sub(dy!, inner), y!)];
};

export const Softmax: Operator = { shape, convert, grad: softmaxGrad };

/** Lowered to z − ln Σ eᶻ with z = x − max x; dx = dy − eʸ Σ dy. */
export const LogSoftmax: Operator = {
  shape,
  convert,
  grad: ({ g, node, outputs: [y], grads: [dy] }) => {
    const axis = axisIndex(node, intAttr(node, 'axis', -1), y!.shape.length);
    return [g.sub(dy!, g.mul(g.exp(y!), g.reduceSum(dy!, [axis], true)))];
  },
  webgpu: () => false,
  lower: (g, node, [x]) => {
    const axis = axisIndex(node, intAttr(node, 'axis', -1), x!.shape.length);
    const z = g.sub(x!, g.emit('ReduceMax', [x!, g.ints([axis])], { keepdims: 1 }));
    return [g.sub(z, g.log(g.reduceSum(g.exp(z), [axis], true)))];
  },
};

/** 1 at the first maximum of each row, 0 elsewhere: where the running count of maxima is 1. */
function firstMaximum(g: Builder, x: Value, axis: number): Value {
  const top = g.emit('Equal', [x, g.emit('ReduceMax', [x, g.ints([axis])], { keepdims: 1 })]);
  const hits = g.cast(top, x.type);
  const count = g.emit('CumSum', [hits, g.constant(tensor('int32', [], [axis]))]);
  return g.where(g.emit('Equal', [count, scalarLike(g, 1, x)]), hits, scalarLike(g, 0, x));
}

export const Hardmax: Operator = {
  shape,
  convert,
  grad: 'none',
  expand: (g, node, [x]) => [
    firstMaximum(g, x!, axisIndex(node, intAttr(node, 'axis', -1), x!.shape.length)),
  ],
};
