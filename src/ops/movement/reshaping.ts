/** @file Operators that give the same elements another shape or order: Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Expand, Tile. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, type Tensor } from '#src/onnx/tensor.ts';
import { contradicts, intsOf, optionalInts } from '../entries/arguments.ts';
import { axisIndex, broadcastShapes, requiredInput } from '../entries/common.ts';
import { broadcastTo, strided, stridesOf } from './strided.ts';
import type { GradRule, Operator } from '../types.ts';

/** The cotangent takes the input's shape back. */
const reshapeBack: GradRule = ({ g, inputs, grads }) => [g.reshape(grads[0]!, inputs[0]!.shape)];

const withShape = (t: Tensor, shape: Shape): Tensor => ({ ...t, shape });

/** Target of a Reshape: 0 copies the input's dimension (unless allowzero), −1 takes what is left. */
function reshaped(node: Node, from: Shape, requested: readonly number[]): Shape {
  const copies = intAttr(node, 'allowzero', 0) === 0;
  const shape = requested.map((d, i) =>
    d === 0 && copies
      ? (from[i] ?? contradicts(node, `dimension ${i} of the new shape copies one that is not there.`))
      : d,
  );
  const free = shape.indexOf(-1);
  const rest = sizeOf(shape.filter((d) => d !== -1));
  if (free >= 0 && rest > 0) shape[free] = sizeOf(from) / rest;
  if (shape.some((d) => !Number.isInteger(d) || d < 0) || sizeOf(shape) !== sizeOf(from))
    contradicts(node, `a tensor of shape [${from.join()}] cannot take the shape [${requested.join()}].`);
  return shape;
}

export const Reshape: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: reshaped(ctx.node, x.shape, intsOf(ctx, 1, 'dimensions')) }];
  },
  grad: reshapeBack,
  fold: (node, [x, shape]) =>
    x && shape ? [withShape(x, reshaped(node, x.shape, numbersOf(shape)))] : undefined,
};

function flattened(node: Node, from: Shape): Shape {
  const axis = intAttr(node, 'axis', 1);
  const at = axis === from.length ? axis : axis < 0 ? axis + from.length : axis;
  if (at < 0 || at > from.length)
    contradicts(node, `axis ${axis} is out of range for ${from.length} dimensions.`);
  return [sizeOf(from.slice(0, at)), sizeOf(from.slice(at))];
}

export const Flatten: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: flattened(ctx.node, x.shape) }];
  },
  grad: reshapeBack,
  fold: (node, [x]) => (x ? [withShape(x, flattened(node, x.shape))] : undefined),
};

function squeezed(node: Node, from: Shape, given: readonly number[] | undefined): Shape {
  if (!given) return from.filter((d) => d !== 1);
  const axes = new Set(given.map((a) => axisIndex(node, a, from.length)));
  for (const a of axes)
    if (from[a] !== 1)
      contradicts(node, `axis ${a} of shape [${from.join()}] is not 1, and cannot be squeezed.`);
  return from.filter((_, i) => !axes.has(i));
}

function unsqueezed(node: Node, from: Shape, given: readonly number[]): Shape {
  const rank = from.length + given.length;
  const axes = new Set(given.map((a) => axisIndex(node, a, rank)));
  if (axes.size !== given.length) contradicts(node, `axes [${given.join()}] name one dimension twice.`);
  let next = 0;
  return Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : from[next++]!));
}

/** Opset < 13 has the axes as an attribute. */
const axesToInput: Operator['convert'] = (node, version, b) => {
  const axes = intsAttr(node, 'axes');
  if (version >= 13 || !axes) return node;
  const { axes: _, ...attributes } = node.attributes;
  return { ...node, inputs: [node.inputs[0]!, b.ints(axes).name], attributes };
};

export const Squeeze: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: squeezed(ctx.node, x.shape, optionalInts(ctx, 1, 'axes')) }];
  },
  grad: reshapeBack,
  fold: (node, [x, axes]) =>
    x ? [withShape(x, squeezed(node, x.shape, axes ? numbersOf(axes) : undefined))] : undefined,
  convert: axesToInput,
};

export const Unsqueeze: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: unsqueezed(ctx.node, x.shape, intsOf(ctx, 1, 'axes')) }];
  },
  grad: reshapeBack,
  fold: (node, [x, axes]) =>
    x && axes ? [withShape(x, unsqueezed(node, x.shape, numbersOf(axes)))] : undefined,
  convert: axesToInput,
};

function permutation(node: Node, rank: number): readonly number[] {
  const perm = intsAttr(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (perm.length !== rank || perm.some((_, i) => !perm.includes(i)))
    contradicts(node, `perm [${perm.join()}] is no permutation of ${rank} axes.`);
  return perm;
}

export const Transpose: Operator = {
  // PyTorch's older exporter writes movedim's axes as they are given, negative ones too, which ONNX does not know.
  convert: (node, _version, b) => {
    const perm = intsAttr(node, 'perm');
    if (!perm?.some((p) => p < 0)) return node;
    const rank = b.value(node.inputs[0]!).shape.length;
    const value = perm.map((p) => (p < 0 ? p + rank : p));
    return { ...node, attributes: { ...node.attributes, perm: { kind: 'ints', value } } };
  },
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: permutation(ctx.node, x.shape.length).map((p) => x.shape[p]!) }];
  },
  grad: ({ g, node, inputs, grads }) => {
    const perm = permutation(node, inputs[0]!.shape.length);
    return [
      g.transpose(
        grads[0]!,
        perm.map((_, i) => perm.indexOf(i)),
      ),
    ];
  },
  fold: (node, [x]) => {
    if (!x) return undefined;
    const perm = permutation(node, x.shape.length);
    const strides = stridesOf(x.shape);
    return [
      strided(
        x,
        perm.map((p) => x.shape[p]!),
        perm.map((p) => strides[p]!),
      ),
    ];
  },
};

export const Expand: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: broadcastShapes(ctx.node, [x.shape, intsOf(ctx, 1, 'dimensions')]) }];
  },
  grad: ({ grads }) => [grads[0]!],
  fold: (node, [x, shape]) =>
    x && shape ? [broadcastTo(x, broadcastShapes(node, [x.shape, numbersOf(shape)]))] : undefined,
};

function tiled(node: Node, from: Shape, repeats: readonly number[]): Shape {
  if (repeats.length !== from.length || repeats.some((r) => r < 0))
    contradicts(node, `repeats [${repeats.join()}] do not fit a tensor of shape [${from.join()}].`);
  return from.map((d, i) => d * repeats[i]!);
}

/** Each dimension d that is repeated r times as two, [r, d]. */
const interleaved = (from: Shape, repeats: readonly number[]): number[] =>
  from.flatMap((d, i) => [repeats[i]!, d]);

export const Tile: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: tiled(ctx.node, x.shape, intsOf(ctx, 1, 'repeats')) }];
  },
  // The sum over the copies.
  grad: (ctx) => {
    const { g, grads } = ctx;
    const x: Value = ctx.inputs[0]!;
    const repeats = intsOf(ctx, 1, 'repeats');
    const axes = repeats.flatMap((r, i) => (r === 1 ? [] : [2 * i]));
    const copies = g.reshape(grads[0]!, interleaved(x.shape, repeats));
    return [g.reshape(g.reduceSum(copies, axes), x.shape)];
  },
  fold: (node, [x, r]) => {
    if (!x || !r) return undefined;
    const repeats = numbersOf(r);
    const shape = tiled(node, x.shape, repeats);
    const strides = stridesOf(x.shape).flatMap((s) => [0, s]);
    return [withShape(strided(x, interleaved(x.shape, repeats), strides), shape)];
  },
};
