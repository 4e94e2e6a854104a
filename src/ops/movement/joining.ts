/** @file Concat and Split. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import { mostOutputs } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf } from '#src/onnx/tensor.ts';
import { contradicts, optionalInts, zeros } from '../entries/arguments.ts';
import { axisIndex, commonType, requiredInput } from '../entries/common.ts';
import { concatenate, strided, stridesOf } from './strided.ts';
import type { Operator } from '../types.ts';

const attributeAxis = (node: Node, rank: number, fallback = 0): number =>
  axisIndex(node, intAttr(node, 'axis', fallback), rank);

export const Concat: Operator = {
  shape: (ctx) => {
    const parts = ctx.inputs.map((_, i) => requiredInput(ctx, i));
    const first = parts[0] ?? contradicts(ctx.node, 'there is nothing to join.');
    const axis = attributeAxis(ctx.node, first.shape.length);
    for (const p of parts)
      if (p.shape.length !== first.shape.length || p.shape.some((d, i) => i !== axis && d !== first.shape[i]))
        contradicts(
          ctx.node,
          `shapes ${parts.map((v) => `[${v.shape.join()}]`).join(', ')} cannot be joined along axis ${axis}.`,
        );
    const total = parts.reduce((n, p) => n + p.shape[axis]!, 0);
    return [
      { type: commonType(ctx.node, parts), shape: first.shape.map((d, i) => (i === axis ? total : d)) },
    ];
  },
  grad: ({ g, node, inputs, grads, wants }) => {
    const dy = grads[0]!;
    const axis = attributeAxis(node, dy.shape.length);
    const sizes = inputs.map((v) => v!.shape[axis]!);
    if (wants.filter(Boolean).length > 1) return g.split(dy, axis, sizes);
    let start = 0;
    return sizes.map((size, i) => {
      start += size;
      return wants[i] ? g.slice(dy, [start - size], [start], [axis]) : null;
    });
  },
  fold: (node, inputs) => {
    const parts = inputs.filter((t) => t !== null);
    if (parts.length !== inputs.length || !parts[0]) return undefined;
    return [concatenate(parts, attributeAxis(node, parts[0].shape.length))];
  },
};

/** Sizes of the parts: as given, or equal with a smaller last one (num_outputs). */
function partSizes(node: Node, length: number, given: readonly number[] | undefined): readonly number[] {
  const count = node.outputs.length;
  const step = Math.ceil(length / count);
  const sizes =
    given ?? Array.from({ length: count }, (_, i) => Math.max(0, Math.min(step, length - i * step)));
  if (sizes.length !== count || sizes.reduce((a, b) => a + b, 0) !== length)
    contradicts(node, `${length} elements cannot be split into ${count} parts of [${sizes.join()}].`);
  return sizes;
}

export const Split: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const axis = attributeAxis(ctx.node, x.shape.length);
    const sizes = partSizes(ctx.node, x.shape[axis]!, optionalInts(ctx, 1, 'sizes'));
    return sizes.map((size) => ({ type: x.type, shape: x.shape.map((d, i) => (i === axis ? size : d)) }));
  },
  grad: ({ g, node, outputs, inputs, grads }) => {
    const axis = attributeAxis(node, inputs[0]!.shape.length);
    const sizes = partSizes(node, inputs[0]!.shape[axis]!, undefinedOr(g.constantValue(inputs[1])));
    const part = (grad: Value | null, i: number): Value =>
      grad ??
      zeros(g, {
        type: inputs[0]!.type,
        shape: inputs[0]!.shape.map((d, k) => (k === axis ? sizes[i]! : d)),
      });
    return [
      g.concat(
        outputs.map((_, i) => part(grads[i] ?? null, i)),
        axis,
      ),
    ];
  },
  fold: (node, [x, given]) => {
    if (!x) return undefined;
    const axis = attributeAxis(node, x.shape.length);
    const strides = stridesOf(x.shape);
    let start = 0;
    return partSizes(node, x.shape[axis]!, undefinedOr(given)).map((size) => {
      const shape = x.shape.map((d, i) => (i === axis ? size : d));
      start += size;
      return strided(x, shape, strides, (start - size) * strides[axis]!);
    });
  },
  // Each WebGPU dispatch binds few buffers: many parts are cut in a tree.
  lower: (g, node, [x, given]) => {
    if (node.outputs.length <= mostOutputs) return undefined;
    const axis = attributeAxis(node, x!.shape.length);
    return g.split(x!, axis, partSizes(node, x!.shape[axis]!, undefinedOr(g.constantValue(given))));
  },
  // Sizes are an attribute before opset 13; before 18, and without any, the parts are equal.
  convert: (node, version, b) => {
    if (version >= 18) return node;
    const { split: _, ...attributes } = node.attributes;
    const sizes = intsAttr(node, 'split');
    if (sizes) return { ...node, inputs: [node.inputs[0]!, b.ints(sizes).name], attributes };
    if (node.inputs[1]) return node;
    return {
      ...node,
      attributes: { ...attributes, num_outputs: { kind: 'int', value: node.outputs.length } },
    };
  },
};

const undefinedOr = (t: Parameters<typeof numbersOf>[0] | null | undefined): number[] | undefined =>
  t ? numbersOf(t) : undefined;
