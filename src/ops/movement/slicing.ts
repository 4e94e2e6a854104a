/** @file Slice, and its gradient by padding. */
import { intsAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf } from '#src/onnx/tensor.ts';
import { type Arguments, contradicts, intsOf, optionalInts, padAxis } from '../entries/arguments.ts';
import { axisIndex, requiredInput } from '../entries/common.ts';
import { strided, stridesOf } from './strided.ts';
import type { Operator } from '../types.ts';

/** What a Slice takes of one axis: `count` elements from `start` on, `step` apart. */
interface Cut {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

function cuts(
  node: Node,
  shape: Shape,
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[] = starts.map((_, i) => i),
  steps: readonly number[] = starts.map(() => 1),
): Cut[] {
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    contradicts(node, 'its starts, ends, axes and steps differ in length.');
  const result: Cut[] = shape.map((d) => ({ start: 0, step: 1, count: d }));
  starts.forEach((from, k) => {
    const axis = axisIndex(node, axes[k]!, shape.length);
    const length = shape[axis]!;
    const step = steps[k]!;
    if (step === 0) contradicts(node, 'a step is 0.');
    const low = step > 0 ? 0 : -1;
    const high = step > 0 ? length : length - 1;
    const clamp = (x: number, least: number): number =>
      Math.min(Math.max(x < 0 ? x + length : x, least), high);
    const start = clamp(from, 0);
    const end = clamp(ends[k]!, low);
    result[axis] = { start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
  return result;
}

const cutsOf = (ctx: Arguments, shape: readonly number[]): Cut[] =>
  cuts(
    ctx.node,
    shape,
    intsOf(ctx, 1, 'starts'),
    intsOf(ctx, 2, 'ends'),
    optionalInts(ctx, 3, 'axes'),
    optionalInts(ctx, 4, 'steps'),
  );

/** Places a slice's cotangent back into zeros of the input's length, along one axis. */
function uncut(g: Builder, grad: Value, axis: number, length: number, cut: Cut): Value {
  const { count } = cut;
  if (count === length && cut.step === 1) return grad;
  let { start, step } = cut;
  let x = grad;
  if (step < 0) {
    x = g.slice(x, [-1], [-(2 ** 31)], [axis], [-1]);
    start += (count - 1) * step;
    step = -step;
  }
  let width = count;
  if (step > 1 && count > 1) {
    // Spread by step − 1 zeros after each element: pad a new last-but-inner axis, then merge it.
    const before = x.shape.slice(0, axis);
    const after = x.shape.slice(axis + 1);
    const column = g.reshape(x, [...before, count, 1, ...after]);
    width = count * step;
    x = g.reshape(padAxis(g, column, axis + 1, 0, step - 1), [...before, width, ...after]);
    // The last element's trailing zeros may reach beyond the input.
    const fits = Math.min(width, length - start);
    if (fits < width) x = g.slice(x, [0], [fits], [axis]);
    width = fits;
  }
  return padAxis(g, x, axis, start, length - start - width);
}

export const Slice: Operator = {
  /** Below opset 10 starts, ends and axes are attributes. */
  convert: (node, version, b) => {
    const [starts, ends, axes] = ['starts', 'ends', 'axes'].map((key) => intsAttr(node, key));
    if (version >= 10 || !starts || !ends) return node;
    const inputs = [starts, ends, ...(axes ? [axes] : [])].map((list) => b.ints(list).name);
    return { ...node, inputs: [node.inputs[0]!, ...inputs], attributes: {} };
  },
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const found = cutsOf(ctx, x.shape);
    return [{ type: x.type, shape: found.map((c) => c.count) }];
  },
  grad: (ctx) => {
    const x = ctx.inputs[0]!;
    const found = cutsOf(ctx, x.shape);
    return [found.reduce((grad, cut, axis) => uncut(ctx.g, grad, axis, x.shape[axis]!, cut), ctx.grads[0]!)];
  },
  // WebGPU's kernel takes floats alone; others are read by constant places, axis by axis.
  lower: (g, node, inputs) => {
    const x = inputs[0]!;
    if (!['int32', 'uint32', 'bool', 'uint8'].includes(x.type)) return undefined;
    const given = (i: number): number[] | undefined => {
      const t = g.constantValue(inputs[i]);
      return t && numbersOf(t);
    };
    const found = cuts(node, x.shape, given(1)!, given(2)!, given(3), given(4));
    return [
      found.reduce<Value>((v, { start, step, count }, axis) => {
        if (count === v.shape[axis] && step === 1) return v;
        const places = Array.from({ length: count }, (_, k) => start + k * step);
        return g.emit('Gather', [v, g.ints(places)], { axis });
      }, x),
    ];
  },
  fold: (node, [x, starts, ends, axes, steps]) => {
    if (!x || !starts || !ends) return undefined;
    const found = cuts(
      node,
      x.shape,
      numbersOf(starts),
      numbersOf(ends),
      axes ? numbersOf(axes) : undefined,
      steps ? numbersOf(steps) : undefined,
    );
    const strides = stridesOf(x.shape);
    const offset = found.reduce((n, c, i) => n + c.start * strides[i]!, 0);
    return [
      strided(
        x,
        found.map((c) => c.count),
        found.map((c, i) => c.step * strides[i]!),
        offset,
      ),
    ];
  },
};
