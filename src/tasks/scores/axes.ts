/** @file Operators that only move numbers: which axis of what goes in an axis of what comes out was. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Shape } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';

/** Their first input's numbers come out as they are: all of them, or (Slice, Gather) some. */
export const moving: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Slice',
  'Gather',
]);

/** The axis of `from` that holds the same numbers in the same order, all else apart; null: it is cut up or joined with others. */
function throughReshape(axis: number, from: Shape, to: Shape): number | null {
  const before = sizeOf(to.slice(0, axis));
  const found = from.findIndex((d, i) => d === to[axis] && sizeOf(from.slice(0, i)) === before);
  return found < 0 ? null : found;
}

/**
 * Where axis `axis` of a {@link moving} node's output lies in its first input.
 * @returns null where it is no whole axis there
 */
export function axisBefore(node: Node, axis: number, from: Shape, to: Shape): number | null {
  switch (node.op) {
    case 'Transpose':
      return intsAttr(node, 'perm')?.[axis] ?? from.length - 1 - axis;
    case 'Slice':
      return from[axis] === to[axis] ? axis : null;
    case 'Gather': {
      const given = intAttr(node, 'axis', 0);
      const at = given < 0 ? given + from.length : given;
      const added = to.length - from.length;
      return axis < at ? axis : axis > at + added ? axis - added : null;
    }
    default:
      return throughReshape(axis, from, to);
  }
}
