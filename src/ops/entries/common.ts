/** @file What most operator entries need: required inputs, broadcast shapes, axes, constants of an operand's type. */
import type { Builder } from '#src/graph/builder.ts';
import { Contradiction, GraphError, type Shape, type Value, type ValueType } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import type { ShapeContext } from '../types.ts';

/** How messages name a node. */
export const nodeLabel = (node: Node): string =>
  `${node.op} ${node.name || node.outputs.find((o) => o !== '') || ''}`.trim();

/** Input i, which the operator cannot do without. */
export function requiredInput(ctx: Pick<ShapeContext, 'node' | 'inputs'>, i: number): Value {
  const v = ctx.inputs[i];
  if (!v)
    throw new GraphError(
      `${nodeLabel(ctx.node)}: lacks its input ${i + 1}. The file is damaged; export the model again.`,
    );
  return v;
}

/** Shape that all the shapes broadcast to (numpy's rule). */
export function broadcastShapes(node: Node, shapes: readonly Shape[]): Shape {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    let dim = 1;
    for (const s of shapes) {
      const d = s[i - rank + s.length] ?? 1;
      if (d === 1 || d === dim) continue;
      if (dim !== 1)
        throw new Contradiction(
          `${nodeLabel(node)}: shapes ${shapes.map((x) => `[${x.join()}]`).join(' and ')} do not broadcast.`,
        );
      dim = d;
    }
    return dim;
  });
}

/** The common element type of some inputs. */
export function commonType(node: Node, values: readonly Value[]): DType {
  const type = values[0]!.type;
  const other = values.find((v) => v.type !== type);
  if (other)
    throw new Contradiction(
      `${nodeLabel(node)}: inputs have types ${type} and ${other.type}; both must have the same.`,
    );
  return type;
}

/** An axis in 0 … rank − 1. */
export function axisIndex(node: Node, axis: number, rank: number): number {
  const i = axis < 0 ? axis + rank : axis;
  if (i < 0 || i >= rank)
    throw new Contradiction(`${nodeLabel(node)}: axis ${axis} is outside of a tensor of rank ${rank}.`);
  return i;
}

/** A scalar constant of the element type of `like`. Half precision is cast from float32. */
export function scalarLike(g: Builder, x: number, like: Pick<ValueType, 'type'>): Value {
  return like.type === 'float16' || like.type === 'bfloat16'
    ? g.cast(g.scalar(x), like.type)
    : g.scalar(x, like.type);
}

/** Shape of one value per channel (axis 1) that broadcasts against a tensor of this rank. */
export const channelShape = (channels: number, rank: number): Shape => [
  channels,
  ...Array.from({ length: Math.max(0, rank - 2) }, () => 1),
];

/** Whether an inline constant holds `x` everywhere. */
export function isFilledWith(g: Builder, v: Value | null | undefined, x: number): boolean {
  const t = g.constantValue(v);
  if (!t || t.type === 'float16' || t.type === 'bfloat16') return false;
  return (t.data as ArrayLike<number | bigint> & Iterable<number | bigint>).length > 0
    ? Array.prototype.every.call(t.data, (y: number | bigint) => Number(y) === x)
    : false;
}
