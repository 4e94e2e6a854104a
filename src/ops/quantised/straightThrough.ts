/** @file Activations that are rounded on their way, and how a gradient passes: as if they were not, where they were not clipped. */
import type { Builder } from '#src/graph/builder.ts';
import { axisIndex } from '../entries/common.ts';
import { intAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';

/**
 * The value that a DequantizeLinear gives back rounded: what lies before the QuantizeLinear with its very scale and zero point, or before the
 * DynamicQuantizeLinear whose outputs it reads. undefined: none, or blocks have scales of their own.
 * @param producer the node that makes a value
 */
export function roundedValue(node: Node, producer: (name: string) => Node | undefined): string | undefined {
  if (node.op !== 'DequantizeLinear' || node.domain !== '' || intAttr(node, 'block_size', 0) > 0)
    return undefined;
  const [q = '', scale = '', zero = ''] = node.inputs;
  const before = producer(q);
  if (before?.domain !== '') return undefined;
  if (before.op === 'DynamicQuantizeLinear')
    return before.outputs.join() === node.inputs.join() ? before.inputs[0] : undefined;
  const alike =
    before.op === 'QuantizeLinear' &&
    before.inputs[1] === scale &&
    (before.inputs[2] ?? '') === zero &&
    intAttr(before, 'axis', 1) === intAttr(node, 'axis', 1) &&
    intAttr(before, 'block_size', 0) === 0;
  return alike ? before.inputs[0] : undefined;
}

/**
 * The gradient that passes from y = rounded x to x. What was moved by more than half a step was clipped: none passes there. A dynamic range clips
 * nothing.
 * @param scale of x's rounding: one, or one per index of the node's axis
 */
export function straightThrough(
  g: Builder,
  node: Node,
  { x, y, dy, scale, dynamic }: Record<'x' | 'y' | 'dy' | 'scale', Value> & { readonly dynamic: boolean },
): Value {
  if (dynamic) return dy;
  const rank = x.shape.length;
  const axis =
    scale.shape.length === 0 || scale.shape[0] === 1 ? 0 : axisIndex(node, intAttr(node, 'axis', 1), rank);
  const steps =
    scale.shape.length === 0 || scale.shape[0] === 1
      ? g.reshape(scale, [])
      : g.reshape(
          scale,
          Array.from({ length: rank }, (_, i) => (i === axis ? scale.shape[0]! : 1)),
        );
  // A little more than half: the rounding of the subtraction itself.
  const moved = g.emit('Abs', [g.sub(y, x)]);
  const inside = g.emit('LessOrEqual', [moved, g.mul(steps, g.scalar(0.5001))]);
  return g.where(inside, dy, g.scalar(0));
}
