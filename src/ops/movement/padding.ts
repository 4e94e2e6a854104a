/** @file Pad in all its modes; the gradient folds the borders back onto the elements they copy. */
import { floatAttr, intsAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { contradicts, fail, padAxis } from '../entries/arguments.ts';
import { requiredInput, scalarLike } from '../entries/common.ts';
import { padsOf } from './pads.ts';
import type { Operator } from '../types.ts';

const modeOf = (node: Node): string => stringAttr(node, 'mode', 'constant');

/** Cotangent of x along one axis of length n that was padded by [before, after]. */
function unpad(
  g: Builder,
  node: Node,
  dy: Value,
  axis: number,
  n: number,
  pads: readonly [number, number],
): Value {
  const [before, after] = pads;
  if (before === 0 && after === 0) return dy;
  const total = dy.shape[axis]!;
  const crop = Math.max(before, 0);
  const middle = g.slice(dy, [crop], [total - Math.max(after, 0)], [axis]);
  const center = padAxis(g, middle, axis, Math.max(-before, 0), Math.max(-after, 0));
  const mode = modeOf(node);
  if (mode === 'constant') return center;
  if (before < 0 || after < 0)
    fail(
      node,
      `the gradient of negative pads in mode ${mode} is not supported. Export the model with Slice instead.`,
    );
  const parts = [center];
  const part = (start: number, count: number, at: number): void => {
    if (count === 0) return;
    let border = g.slice(dy, [start], [start + count], [axis]);
    let width = count;
    if (mode === 'edge') {
      border = g.reduceSum(border, [axis], true);
      width = 1;
    } else if (mode === 'reflect') border = g.slice(border, [-1], [-(2 ** 31)], [axis], [-1]);
    parts.push(padAxis(g, border, axis, at, n - at - width));
  };
  // Where the first element of each border's image lies in x.
  if (mode === 'edge') {
    part(0, before, 0);
    part(total - after, after, n - 1);
  } else if (mode === 'reflect') {
    part(0, before, 1);
    part(total - after, after, n - 1 - after);
  } else {
    part(0, before, n - before);
    part(total - after, after, 0);
  }
  return parts.reduce((a, b) => g.add(a, b));
}

function padded(node: Node, shape: Shape, pads: readonly (readonly [number, number])[]): Shape {
  const mode = modeOf(node);
  if (!['constant', 'reflect', 'edge', 'wrap'].includes(mode))
    contradicts(node, `mode "${mode}" is not known.`);
  return shape.map((d, i) => {
    const [before, after] = pads[i]!;
    const size = d + before + after;
    const limit = mode === 'reflect' ? d - 1 : mode === 'wrap' ? d : Infinity;
    if (size < 0 || Math.max(before, after) > limit)
      contradicts(node, `pads [${before}, ${after}] do not fit axis ${i} of length ${d} in mode ${mode}.`);
    return size;
  });
}

export const Pad: Operator = {
  /** Below opset 11 the pads and the value are attributes. */
  convert: (node, version, b) => {
    const { pads: _pads, value: _value, ...attributes } = node.attributes;
    const pads = intsAttr(node, 'pads');
    if (version >= 11 || !pads) return node;
    const x = b.value(node.inputs[0]!);
    const value = scalarLike(b, floatAttr(node, 'value', 0), x);
    return { ...node, inputs: [x.name, b.ints(pads).name, value.name], attributes };
  },
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: x.type, shape: padded(ctx.node, x.shape, padsOf(ctx, x.shape.length)) }];
  },
  grad: (ctx) => {
    const { g, node, wants } = ctx;
    const x = ctx.inputs[0]!;
    const dy = ctx.grads[0]!;
    const pads = padsOf(ctx, x.shape.length);
    const all = x.shape.map((_, i) => i);
    // The axes were padded together; one at a time, from the last, undoes it exactly (corners included).
    const dx =
      wants[0] || wants[2]
        ? all.reduceRight((grad, axis) => unpad(g, node, grad, axis, x.shape[axis]!, pads[axis]!), dy)
        : null;
    const value = ctx.inputs[2];
    const dValue =
      wants[2] && dx && value
        ? g.reshape(g.sub(g.reduceSum(dy, all), g.reduceSum(dx, all)), value.shape)
        : null;
    return [wants[0] ? dx : null, null, dValue];
  },
};
