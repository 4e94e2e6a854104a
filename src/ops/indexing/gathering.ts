/** @file Reading by index: Gather, GatherElements, GatherND. Their gradients add into zeros, so repeated indices count repeatedly. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, type Tensor } from '#src/onnx/tensor.ts';
import { contradicts, fail, inRange, padAxis, zeros } from '../entries/arguments.ts';
import { axisIndex, requiredInput } from '../entries/common.ts';
import { like, stridesOf, take } from '../movement/strided.ts';
import type { Operator } from '../types.ts';

const axisOf = (node: Node, rank: number): number => axisIndex(node, intAttr(node, 'axis', 0), rank);

/** First index where all are constant and consecutive; undefined otherwise. */
function consecutive(indices: readonly number[], length: number): number | undefined {
  const first = indices[0];
  if (first === undefined) return undefined;
  const start = first < 0 ? first + length : first;
  return indices.every((x, i) => (x < 0 ? x + length : x) === start + i) ? start : undefined;
}

/** Adds rows to zeros: rows[k] goes to place indices[k] of a [length, width] tensor. rows: [count, width], indices: [count]. */
function addRows(g: Builder, rows: Value, indices: Value, length: number): Value {
  const [count, width] = rows.shape as [number, number];
  const target = zeros(g, { type: rows.type, shape: [length, width] });
  const column = g.reshape(indices, [count, 1]);
  // ScatterND's indices are int64; ScatterElements takes int32 ones, as tokens are in generated graphs.
  if (indices.type === 'int64') return g.emit('ScatterND', [target, column, rows], { reduction: 'add' });
  return g.emit('ScatterElements', [target, g.expand(column, [count, width]), rows], {
    axis: 0,
    reduction: 'add',
  });
}

export const Gather: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const axis = axisOf(ctx.node, x.shape.length);
    const indices = requiredInput(ctx, 1);
    return [
      { type: x.type, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] },
    ];
  },
  grad: (ctx) => {
    const { g, node } = ctx;
    const [x, indices] = ctx.inputs as [Value, Value];
    const axis = axisOf(node, x.shape.length);
    const length = x.shape[axis]!;
    const before = x.shape.slice(0, axis);
    const after = x.shape.slice(axis + 1);
    const count = sizeOf(indices.shape);
    // [before…, count, after…]: one axis for the indices, whatever their rank.
    const dy = g.reshape(ctx.grads[0]!, [...before, count, ...after]);
    const known = ctx.constant(1);
    const start = known && consecutive(numbersOf(known), length);
    if (start !== undefined) return [padAxis(g, dy, axis, start, length - start - count)];
    const front = [axis, ...before.map((_, i) => i), ...after.map((_, i) => axis + 1 + i)];
    const rows = g.reshape(g.transpose(dy, front), [count, sizeOf(before) * sizeOf(after)]);
    const sum = g.reshape(addRows(g, rows, g.reshape(indices, [count]), length), [
      length,
      ...before,
      ...after,
    ]);
    return [
      g.transpose(
        sum,
        front.map((_, i) => front.indexOf(i)),
      ),
    ];
  },
  fold: (node, [x, indices]) => {
    if (!x || !indices) return undefined;
    const axis = axisOf(node, x.shape.length);
    const at = numbersOf(indices);
    const length = x.shape[axis]!;
    at.forEach((i) => inRange(node, i, length));
    return [take(x, at, indices.shape, axis)];
  },
};

export const GatherElements: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const indices = requiredInput(ctx, 1);
    axisOf(ctx.node, x.shape.length);
    if (indices.shape.length !== x.shape.length)
      contradicts(
        ctx.node,
        `indices of shape [${indices.shape.join()}] do not fit data of shape [${x.shape.join()}].`,
      );
    return [{ type: x.type, shape: indices.shape }];
  },
  grad: ({ g, node, inputs, grads }) => {
    const axis = axisOf(node, inputs[0]!.shape.length);
    return [
      g.emit('ScatterElements', [zeros(g, inputs[0]!), inputs[1]!, grads[0]!], { axis, reduction: 'add' }),
    ];
  },
  fold: (node, [x, indices]) => {
    if (!x || !indices) return undefined;
    const axis = axisOf(node, x.shape.length);
    const at = numbersOf(indices);
    const [own, outer] = [stridesOf(indices.shape), stridesOf(x.shape)];
    return [
      picked(x, indices.shape, (i) =>
        outer.reduce((n, s, k) => {
          const place = Math.floor(i / own[k]!) % indices.shape[k]!;
          return n + s * (k === axis ? inRange(node, at[i]!, x.shape[k]!) : place);
        }, 0),
      ),
    ];
  },
};

/** The elements of x at flat places. */
function picked(x: Tensor, shape: Shape, place: (i: number) => number): Tensor {
  const data = like(x.data, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = x.data[place(i)]!;
  return { type: x.type, shape, data };
}

const batchDims = (node: Node): number => intAttr(node, 'batch_dims', 0);

function gatheredShape(node: Node, x: Shape, indices: Shape): Shape {
  const depth = indices.at(-1) ?? contradicts(node, 'indices must have at least one dimension.');
  const b = batchDims(node);
  if (b + depth > x.length || x.slice(0, b).some((d, i) => d !== indices[i]))
    contradicts(node, `indices of shape [${indices.join()}] do not fit data of shape [${x.join()}].`);
  return [...indices.slice(0, -1), ...x.slice(b + depth)];
}

export const GatherND: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: gatheredShape(ctx.node, x.shape, requiredInput(ctx, 1).shape) }];
  },
  grad: ({ g, node, inputs, grads }) => {
    const [x, indices] = inputs as [Value, Value];
    const scatter = (data: Value, at: Value, rows: Value): Value =>
      g.emit('ScatterND', [data, at, rows], { reduction: 'add' });
    const b = batchDims(node);
    if (b === 0) return [scatter(zeros(g, x), indices, grads[0]!)];
    // ScatterND has no batches: their number becomes the first index.
    const batches = sizeOf(x.shape.slice(0, b));
    const depth = indices.shape.at(-1)!;
    const each = sizeOf(indices.shape.slice(b, -1));
    const numbers = g.reshape(g.ints(Array.from({ length: batches }, (_, i) => i)), [batches, 1, 1]);
    const at = g.concat(
      [g.expand(numbers, [batches, each, 1]), g.reshape(indices, [batches, each, depth])],
      2,
    );
    const flat = zeros(g, { type: x.type, shape: [batches, ...x.shape.slice(b)] });
    const rows = g.reshape(grads[0]!, [batches, each, ...x.shape.slice(b + depth)]);
    return [g.reshape(scatter(flat, at, rows), x.shape)];
  },
  fold: (node, [x, indices]) => {
    if (!x || !indices) return undefined;
    const shape = gatheredShape(node, x.shape, indices.shape);
    const b = batchDims(node);
    const depth = indices.shape.at(-1)!;
    const width = sizeOf(x.shape.slice(b + depth));
    const batchSize = sizeOf(indices.shape.slice(b, -1));
    const strides = stridesOf(x.shape).slice(b, b + depth);
    const at = numbersOf(indices);
    return [
      picked(x, shape, (i) => {
        const row = Math.floor(i / width);
        const start = Math.floor(row / batchSize) * sizeOf(x.shape.slice(b));
        return strides.reduce(
          (n, s, k) => n + s * inRange(node, at[row * depth + k]!, x.shape[b + k]!),
          start + (i % width),
        );
      }),
    ];
  },
};

/** Keeps the slices along an axis (or, without one, the elements) where a constant condition holds: a Gather. */
export const Compress: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const kept = keptBy(ctx.node, ctx.constant(1));
    const axis = compressAxis(ctx.node, x.shape.length);
    if (axis === undefined) return [{ type: x.type, shape: [kept.length] }];
    return [{ type: x.type, shape: x.shape.map((d, i) => (i === axis ? kept.length : d)) }];
  },
  expand: (g, node, [x, condition]) => {
    const kept = g.ints(keptBy(node, g.constantValue(condition)));
    const axis = compressAxis(node, x!.shape.length);
    if (axis !== undefined) return [g.emit('Gather', [x!, kept], { axis })];
    return [g.emit('Gather', [g.reshape(x!, [sizeOf(x!.shape)]), kept], { axis: 0 })];
  },
  fold: (node, [x, condition]) => {
    if (!x || !condition) return undefined;
    const kept = keptBy(node, condition);
    const axis = compressAxis(node, x.shape.length);
    const from = axis === undefined ? { ...x, shape: [x.data.length] } : x;
    return [take(from, kept, [kept.length], axis ?? 0)];
  },
};

const compressAxis = (node: Node, rank: number): number | undefined =>
  node.attributes.axis ? axisOf(node, rank) : undefined;

function keptBy(node: Node, condition: Tensor | undefined): number[] {
  if (!condition)
    fail(node, 'which elements it keeps depends on the input data. Export the model without it.');
  return numbersOf(condition).flatMap((c, i) => (c === 0 ? [] : [i]));
}
