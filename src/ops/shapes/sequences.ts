/** @file Sequence operators with constant positions, as exporters write them for `split` and `unbind`: they become Split, Squeeze and Concat. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf } from '#src/onnx/tensor.ts';
import { contradicts, fail } from '../entries/arguments.ts';
import { axisIndex } from '../entries/common.ts';

export interface SequenceContext {
  readonly b: Builder;
  readonly node: Node;
  value(i: number): Value | undefined;
  sequence(i: number): readonly Value[] | undefined;
}

const whole = ({ b, node, value }: SequenceContext, i: number): readonly number[] | undefined => {
  const v = value(i);
  if (!v) return undefined;
  const t = b.constantValue(v);
  return t
    ? numbersOf(t)
    : fail(node, 'its position or sizes depend on the input data. Export the model with constants there.');
};

const items = (ctx: SequenceContext, i: number): readonly Value[] =>
  ctx.sequence(i) ??
  fail(ctx.node, 'its input is not a sequence whose length is known. Export the model without sequences.');

function splitToSequence(ctx: SequenceContext): readonly Value[] {
  const { b, node } = ctx;
  const x = ctx.value(0) ?? contradicts(node, 'input 0 is missing.');
  const axis = axisIndex(node, intAttr(node, 'axis', 0), x.shape.length);
  const length = x.shape[axis]!;
  const given = ctx.value(1);
  const sizes = whole(ctx, 1);
  const step = sizes && given?.shape.length === 0 ? sizes[0]! : 1;
  if (step < 1) contradicts(node, `parts of ${step} elements are impossible.`);
  const parts =
    sizes && given?.shape.length === 1
      ? sizes
      : Array.from({ length: Math.ceil(length / step) }, (_, i) => Math.min(step, length - i * step));
  const split = b.split(x, axis, parts);
  if (given || intAttr(node, 'keepdims', 1) === 1) return split;
  return split.map((v) =>
    b.reshape(
      v,
      v.shape.filter((_, i) => i !== axis),
    ),
  );
}

function concatFromSequence(ctx: SequenceContext): Value {
  const { b, node } = ctx;
  const parts = items(ctx, 0);
  const fresh = intAttr(node, 'new_axis', 0) === 1;
  const rank = parts[0]!.shape.length + Number(fresh);
  const axis = axisIndex(node, intAttr(node, 'axis', 0), rank);
  if (!fresh) return b.concat(parts, axis);
  return b.concat(
    parts.map((v) => b.reshape(v, [...v.shape.slice(0, axis), 1, ...v.shape.slice(axis)])),
    axis,
  );
}

function sequenceAt(ctx: SequenceContext): Value {
  const parts = items(ctx, 0);
  const position = whole(ctx, 1)![0]!;
  return (
    parts.at(position) ??
    contradicts(ctx.node, `position ${position} is out of range for ${parts.length} items.`)
  );
}

/** The place among `count` items that an input names; without one, the last. Negative ones count from the end. */
function placeOf(ctx: SequenceContext, input: number, count: number, last: number): number {
  const given = whole(ctx, input)?.[0] ?? last;
  const place = given < 0 ? given + count : given;
  return place >= 0 && place <= last
    ? place
    : contradicts(ctx.node, `position ${given} is out of range for ${count} items.`);
}

/** By operator: the items of the sequence, or the one value, that it gives. */
export const sequenceOperators: Readonly<Record<string, (ctx: SequenceContext) => readonly Value[] | Value>> =
  {
    SplitToSequence: splitToSequence,
    SequenceConstruct: (ctx) => ctx.node.inputs.map((_, i) => ctx.value(i)!),
    SequenceAt: sequenceAt,
    ConcatFromSequence: concatFromSequence,
    SequenceEmpty: () => [],
    SequenceLength: (ctx) => ctx.b.scalar(items(ctx, 0).length, 'int64'),
    SequenceInsert: (ctx) => {
      const parts = items(ctx, 0);
      const item = ctx.value(1) ?? contradicts(ctx.node, 'input 1 is missing.');
      return parts.toSpliced(placeOf(ctx, 2, parts.length, parts.length), 0, item);
    },
    SequenceErase: (ctx) => {
      const parts = items(ctx, 0);
      return parts.toSpliced(placeOf(ctx, 1, parts.length, parts.length - 1), 1);
    },
  };
