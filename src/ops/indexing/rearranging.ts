/** @file CumProd, CenterCropPad and ReverseSequence, written out. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { type Arguments, contradicts, intsOf, optionalInts } from '../entries/arguments.ts';
import { axisIndex, requiredInput } from '../entries/common.ts';
import type { Operator } from '../types.ts';
import { padAxis } from '../spatial/unfold.ts';

/** yᵢ = Π_{j ≤ i} xⱼ by doubling: each round multiplies in as many factors again. Right with zeros, too. */
export const CumProd: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    cumulatedAxis(ctx);
    return [{ type: x.type, shape: x.shape }];
  },
  expand: (g, node, inputs) => {
    const x = inputs[0]!;
    const axis = cumulatedAxis({ node, inputs, constant: (i) => g.constantValue(inputs[i]) });
    const backwards = intAttr(node, 'reverse', 0) !== 0;
    let y = intAttr(node, 'exclusive', 0) !== 0 ? shifted(g, x, axis, 1, backwards) : x;
    for (let by = 1; by < x.shape[axis]!; by *= 2) y = g.mul(y, shifted(g, y, axis, by, backwards));
    return [y];
  },
};

function cumulatedAxis(ctx: Arguments): number {
  const axis = optionalInts(ctx, 1, 'axis')?.[0] ?? contradicts(ctx.node, 'its axis is missing.');
  return axisIndex(ctx.node, axis, ctx.inputs[0]!.shape.length);
}

/** x moved along an axis by some places, ones coming in. */
function shifted(g: Builder, x: Value, axis: number, by: number, backwards: boolean): Value {
  const length = x.shape[axis]!;
  return backwards
    ? g.slice(padAxis(g, x, axis, 0, by, 1), [by], [by + length], [axis])
    : g.slice(padAxis(g, x, axis, by, 0, 1), [0], [length], [axis]);
}

/** The sizes that a CenterCropPad gives each axis. */
function targets(ctx: Arguments): Shape {
  const { shape } = ctx.inputs[0]!;
  const sizes = intsOf(ctx, 1, 'sizes');
  const axes = intsAttr(ctx.node, 'axes')?.map((a) => axisIndex(ctx.node, a, shape.length));
  if (sizes.length !== (axes?.length ?? shape.length))
    contradicts(ctx.node, `has ${sizes.length} sizes for ${axes?.length ?? shape.length} axes.`);
  return shape.map((d, i) => (axes ? (sizes[axes.indexOf(i)] ?? d) : sizes[i]!));
}

/** The middle of each axis that is too long, and zeros on both sides of one that is too short; an odd one goes to the end. */
export const CenterCropPad: Operator = {
  shape: (ctx) => [{ type: requiredInput(ctx, 0).type, shape: targets(ctx) }],
  expand: (g, node, inputs) => {
    const wanted = targets({ node, inputs, constant: (i) => g.constantValue(inputs[i]) });
    return [
      wanted.reduce<Value>((x, size, axis) => {
        const missing = size - x.shape[axis]!;
        const before = Math.floor(Math.abs(missing) / 2);
        if (missing >= 0) return padAxis(g, x, axis, before, missing - before);
        return g.slice(x, [before], [before + size], [axis]);
      }, inputs[0]!),
    ];
  },
};

/** Which axes of a ReverseSequence are sequences and their steps: the first two, in either order. */
function sequenceAxes(node: Node, shape: Shape): { batch: number; time: number } {
  const axes = { batch: intAttr(node, 'batch_axis', 1), time: intAttr(node, 'time_axis', 0) };
  if (shape.length < 2 || Math.min(axes.batch, axes.time) !== 0 || Math.max(axes.batch, axes.time) !== 1)
    contradicts(
      node,
      `batch_axis ${axes.batch} and time_axis ${axes.time} must be the first two axes, one each.`,
    );
  return axes;
}

/** The first steps of each sequence, as many as its length says, in reverse; the others stay. */
export const ReverseSequence: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const { batch } = sequenceAxes(ctx.node, x.shape);
    const { shape } = requiredInput(ctx, 1);
    if (shape.join() !== String(x.shape[batch]))
      contradicts(ctx.node, `lengths of shape [${shape.join()}] do not fit ${x.shape[batch]} sequences.`);
    return [{ type: x.type, shape: x.shape }];
  },
  expand: (g, node, [x, lengths]) => {
    const { batch, time } = sequenceAxes(node, x!.shape);
    const [sequences, steps] = [x!.shape[batch]!, x!.shape[time]!];
    const along = (axis: number, n: number): Shape => [0, 1].map((i) => (i === axis ? n : 1));
    const count = Array.from({ length: steps }, (_, i) => i);
    const places = g.constant(tensor('int32', along(time, steps), count));
    const ends = g.reshape(g.cast(lengths!, 'int32'), along(batch, sequences));
    const mirrored = g.sub(g.sub(ends, places), g.scalar(1, 'int32'));
    const from = g.where(g.emit('Less', [places, ends]), mirrored, places);
    const width = sizeOf(x!.shape.slice(2));
    const rows: Shape = [x!.shape[0]!, x!.shape[1]!, width];
    const index = g.expand(g.reshape(from, [rows[0]!, rows[1]!, 1]), rows);
    return [g.reshape(g.emit('GatherElements', [g.reshape(x!, rows), index], { axis: time }), x!.shape)];
  },
};
