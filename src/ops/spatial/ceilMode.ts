/** @file Pools whose sizes round up (ceil_mode), as pools whose sizes round down. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { scalarLike } from '../entries/common.ts';
import { counts, poolWindows } from './pooling.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { type Axis, span, windowAttributes } from './window.ts';

/** The padding after the input that a size rounded down needs for all of an axis' windows. */
const reached = (a: Axis): number => Math.max(a.end, (a.output - 1) * a.stride + span(a) - a.input - a.begin);

/** Windows along an axis if the last one counted even where it starts in the padding. */
const roundedUp = (a: Axis): number => Math.ceil((a.input + a.begin + a.end - span(a)) / a.stride) + 1;

/**
 * A pool with a last window that would start in the padding, and so does not count, in sizes that round down: ONNX Runtime's shape
 * inference of opset 21 counts that window, and then refuses the graph. Other nodes are returned as they are.
 */
export function withoutCeil(b: Builder, node: Node, x: Value | null | undefined): Node {
  if (!x || (node.op !== 'MaxPool' && node.op !== 'AveragePool') || intAttr(node, 'ceil_mode', 0) === 0)
    return node;
  const axes = poolWindows(node, x);
  if (axes.every((a) => roundedUp(a) === a.output)) return node;
  const { ceil_mode: _, auto_pad: __, ...rest } = node.attributes;
  const { pads } = windowAttributes(axes.map((a) => ({ ...a, end: reached(a) })));
  const attributes = { ...rest, pads: { kind: 'ints' as const, value: pads } };
  const floor: Node = { ...node, attributes };
  // What rounding up adds is padding that an average never counts: given as pads, it would.
  const counted = node.op === 'AveragePool' && intAttr(node, 'count_include_pad', 0) !== 0;
  if (!counted || axes.every((a) => reached(a) === a.end)) return floor;
  const [pooled] = b.append({ ...floor, name: b.fresh(node.name), outputs: [b.fresh(node.op)] });
  const ratios = axes
    .map((a) => counts(a, true).map((n) => a.kernel / n))
    .reduce<number[]>((outer, axis) => outer.flatMap((r) => axis.map((s) => r * s)), [1]);
  const shape = axes.map((a) => a.output);
  const ratio = ratios.every((r) => r === ratios[0])
    ? scalarLike(b, ratios[0]!, x)
    : b.cast(b.constant(tensor('float32', shape, ratios)), x.type);
  return { ...node, op: 'Mul', inputs: [pooled!.name, ratio.name], attributes: {} };
}
