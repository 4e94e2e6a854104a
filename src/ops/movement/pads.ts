/** @file The pads argument of Pad. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { type Arguments, contradicts, intsOf, optionalInts } from '../entries/arguments.ts';
import { axisIndex } from '../entries/common.ts';

/** [before, after] for every axis; negative ones crop. */
export function padsOf(ctx: Arguments, rank: number): (readonly [number, number])[] {
  const pads = intsOf(ctx, 1, 'pads');
  const axes = optionalInts(ctx, 3, 'axes') ?? Array.from({ length: rank }, (_, i) => i);
  if (pads.length !== 2 * axes.length)
    contradicts(ctx.node, `has ${pads.length} pads for ${axes.length} axes; two per axis are needed.`);
  const result = Array.from({ length: rank }, (): readonly [number, number] => [0, 0]);
  axes.forEach((a, i) => {
    result[axisIndex(ctx.node, a, rank)] = [pads[i]!, pads[i + axes.length]!];
  });
  return result;
}

/** The same Pad with pads for all axes and no axes input, see {@link padAxis}. */
export function withoutAxes(g: Builder, node: Node, inputs: readonly (Value | null)[]): Node {
  if (!inputs[3]) return node;
  const pads = padsOf({ node, inputs, constant: (i) => g.constantValue(inputs[i]) }, inputs[0]!.shape.length);
  const all = g.ints([...pads.map(([before]) => before), ...pads.map(([, after]) => after)]);
  return { ...node, inputs: [node.inputs[0]!, all.name, node.inputs[2] ?? ''] };
}
