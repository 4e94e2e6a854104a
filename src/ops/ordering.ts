/** @file Operators along an ordered axis: ArgMax, ArgMin, TopK, CumSum; and the index patterns Trilu and OneHot. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { fail, intsOf, optionalInts, zeros } from './arguments.ts';
import { axisIndex, requiredInput } from './common.ts';
import { like } from './strided.ts';
import type { Operator } from './types.ts';

const axisOf = (node: Node, rank: number, fallback: number): number =>
  axisIndex(node, intAttr(node, 'axis', fallback), rank);

const extremum: Operator = {
  shape: (ctx) => {
    const { shape } = requiredInput(ctx, 0);
    const axis = axisOf(ctx.node, shape.length, 0);
    const kept = intAttr(ctx.node, 'keepdims', 1) === 1;
    return [{ type: 'int64', shape: shape.flatMap((d, i) => (i !== axis ? [d] : kept ? [1] : [])) }];
  },
  grad: 'none',
};
export const ArgMax: Operator = extremum;
export const ArgMin: Operator = extremum;

export const TopK: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const axis = axisOf(ctx.node, x.shape.length, -1);
    const k = intsOf(ctx, 1, 'count')[0]!;
    if (k > x.shape[axis]!) fail(ctx.node, `wants ${k} of ${x.shape[axis]} elements.`);
    const shape = x.shape.map((d, i) => (i === axis ? k : d));
    return [
      { type: x.type, shape },
      { type: 'int64', shape },
    ];
  },
  grad: ({ g, node, inputs, outputs, grads }) => {
    const x = inputs[0]!;
    const axis = axisOf(node, x.shape.length, -1);
    if (!grads[0]) return [null];
    if (!outputs[1]?.name) fail(node, 'its second output must be named for a gradient to pass.');
    return [g.emit('ScatterElements', [zeros(g, x), outputs[1], grads[0]], { axis, reduction: 'add' })];
  },
};

export const CumSum: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const axis = optionalInts(ctx, 1, 'axis')?.[0] ?? fail(ctx.node, 'its axis is missing.');
    axisIndex(ctx.node, axis, x.shape.length);
    return [{ type: x.type, shape: x.shape }];
  },
  // yᵢ = Σ_{j ≤ i} xⱼ, so dxⱼ = Σ_{i ≥ j} dyᵢ: the sum from the other end.
  grad: ({ g, node, inputs, grads }) => [
    g.emit('CumSum', [grads[0]!, inputs[1]!], {
      exclusive: intAttr(node, 'exclusive', 0),
      reverse: 1 - intAttr(node, 'reverse', 0),
    }),
  ],
  fold: (node, [x, axisTensor]) => {
    if (!x || !axisTensor) return undefined;
    const axis = axisIndex(node, numbersOf(axisTensor)[0]!, x.shape.length);
    return [cumulated(x, axis, intAttr(node, 'exclusive', 0) === 1, intAttr(node, 'reverse', 0) === 1)];
  },
};

function cumulated(x: Tensor, axis: number, exclusive: boolean, reverse: boolean): Tensor {
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const length = x.shape[axis]!;
  const values = numbersOf(x);
  const out = values.map(() => 0);
  for (let start = 0; start < values.length; start += length * inner)
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let k = 0; k < length; k++) {
        const at = start + (reverse ? length - 1 - k : k) * inner + i;
        out[at] = exclusive ? sum : sum + values[at]!;
        sum += values[at]!;
      }
    }
  return tensor(x.type, x.shape, out);
}

export const Trilu: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    if (x.shape.length < 2) fail(ctx.node, `needs a matrix, not shape [${x.shape.join()}].`);
    return [{ type: x.type, shape: x.shape }];
  },
  grad: ({ g, node, inputs, grads }) => [
    g.emit('Trilu', [grads[0]!, inputs[1] ?? null], { upper: intAttr(node, 'upper', 1) }),
  ],
  fold: (node, [x, k]) => {
    if (!x || (node.inputs[1] && !k)) return undefined;
    const shift = k ? numbersOf(k)[0]! : 0;
    const upper = intAttr(node, 'upper', 1) === 1;
    const columns = x.shape.at(-1)!;
    const rows = x.shape.at(-2)!;
    const data = like(x.data, x.data.length);
    for (let i = 0; i < data.length; i++) {
      const distance = (i % columns) - (Math.floor(i / columns) % rows) - shift;
      if (upper ? distance >= 0 : distance <= 0) data[i] = x.data[i]!;
    }
    return [{ ...x, data }];
  },
};

function oneHotShape(node: Node, indices: Shape, depth: number): { axis: number; shape: Shape } {
  const axis = axisOf(node, indices.length + 1, -1);
  return { axis, shape: [...indices.slice(0, axis), depth, ...indices.slice(axis)] };
}

export const OneHot: Operator = {
  shape: (ctx) => {
    const depth = intsOf(ctx, 1, 'depth')[0]!;
    const { shape } = oneHotShape(ctx.node, requiredInput(ctx, 0).shape, depth);
    return [{ type: requiredInput(ctx, 2).type, shape }];
  },
  grad: 'none',
  webgpu: () => false,
  // Equal against 0 … depth − 1, on int32, which WebGPU compares; negative indices count from the end.
  lower: (g, node, [indices, depthInput, values]) => {
    const depth = numbersOf(
      g.constantValue(depthInput) ?? fail(node, 'its depth depends on the input data.'),
    )[0]!;
    const { axis, shape } = oneHotShape(node, indices!.shape, depth);
    const range = shape.map((_, i) => (i === axis ? depth : 1));
    const positions = Array.from({ length: depth }, (_, i) => i);
    const spread = g.reshape(
      g.cast(indices!, 'int32'),
      shape.map((d, i) => (i === axis ? 1 : d)),
    );
    const at = (offset: number): Value =>
      g.emit('Equal', [
        spread,
        g.constant(
          tensor(
            'int32',
            range,
            positions.map((p) => p + offset),
          ),
        ),
      ]);
    const [off, on] = g.split(values!, 0, [1, 1]) as [Value, Value];
    return [g.where(at(0), on, g.where(at(-depth), on, off))];
  },
};
