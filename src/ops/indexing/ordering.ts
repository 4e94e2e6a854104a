/** @file Operators along an ordered axis: ArgMax, ArgMin, TopK, CumSum; and the index patterns Trilu and OneHot. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { contradicts, fail, intsOf, optionalInts, zeros } from '../entries/arguments.ts';
import { axisIndex, requiredInput } from '../entries/common.ts';
import { like } from '../movement/strided.ts';
import type { Operator } from '../types.ts';

const axisOf = (node: Node, rank: number, fallback: number): number =>
  axisIndex(node, intAttr(node, 'axis', fallback), rank);

/** Places along an axis of x from the best element to the worst; equals stay in their order. */
function ranked(
  x: Tensor,
  axis: number,
  largest: boolean,
  visit: (start: number, order: number[]) => void,
): void {
  const values = numbersOf(x);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const length = x.shape[axis]!;
  for (let outer = 0; outer < values.length; outer += length * inner)
    for (let start = outer; start < outer + inner; start++) {
      const at = (k: number): number => values[start + k * inner]!;
      const order = Array.from({ length }, (_, k) => k);
      visit(
        start,
        order.sort((a, b) => (largest ? at(b) - at(a) : at(a) - at(b)) || a - b),
      );
    }
}

/** Orders that comparing numbers cannot tell: a NaN among them, or halves and strings, are not folded. */
const rankable = (x: Tensor): boolean =>
  !['float16', 'bfloat16', 'string', 'int4', 'uint4'].includes(x.type) && !numbersOf(x).some(Number.isNaN);

const extremum = (largest: boolean): Operator => ({
  shape: (ctx) => {
    const { shape } = requiredInput(ctx, 0);
    const axis = axisOf(ctx.node, shape.length, 0);
    const kept = intAttr(ctx.node, 'keepdims', 1) === 1;
    return [{ type: 'int64', shape: shape.flatMap((d, i) => (i !== axis ? [d] : kept ? [1] : [])) }];
  },
  grad: 'none',
  fold: (node, [x]) => {
    if (!x || !rankable(x)) return undefined;
    const axis = axisOf(node, x.shape.length, 0);
    const inner = sizeOf(x.shape.slice(axis + 1));
    const last = intAttr(node, 'select_last_index', 0) === 1;
    const places: number[] = [];
    ranked(x, axis, largest, (start, order) => {
      const value = (k: number): number => Number(x.data[start + k * inner]);
      const ties = order.filter((k) => value(k) === value(order[0]!));
      places.push((last ? ties.at(-1) : ties[0])!);
    });
    const kept = intAttr(node, 'keepdims', 1) === 1;
    return [
      tensor(
        'int64',
        x.shape.flatMap((d, i) => (i !== axis ? [d] : kept ? [1] : [])),
        places,
      ),
    ];
  },
});
export const ArgMax: Operator = extremum(true);
export const ArgMin: Operator = extremum(false);

export const TopK: Operator = {
  /** Below opset 10 the count is an attribute. */
  convert: (node, version, b) => {
    const { k, ...attributes } = node.attributes;
    if (version >= 10 || k?.kind !== 'int') return node;
    return { ...node, inputs: [node.inputs[0]!, b.ints([k.value]).name], attributes };
  },
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const axis = axisOf(ctx.node, x.shape.length, -1);
    const k = intsOf(ctx, 1, 'count')[0]!;
    if (k > x.shape[axis]!) contradicts(ctx.node, `wants ${k} of ${x.shape[axis]} elements.`);
    const shape = x.shape.map((d, i) => (i === axis ? k : d));
    return [
      { type: x.type, shape },
      { type: 'int64', shape },
    ];
  },
  grad: ({ g, node, inputs, outputs, grads }) => {
    const x = inputs[0]!;
    if (!grads[0]) return [null];
    const axis = axisOf(node, x.shape.length, -1);
    return [g.emit('ScatterElements', [zeros(g, x), outputs[1]!, grads[0]], { axis, reduction: 'add' })];
  },
  fold: (node, [x, k]) => {
    if (!x || !k || !rankable(x) || intAttr(node, 'sorted', 1) === 0) return undefined;
    const axis = axisOf(node, x.shape.length, -1);
    const count = numbersOf(k)[0]!;
    const shape = x.shape.map((d, i) => (i === axis ? count : d));
    const inner = sizeOf(x.shape.slice(axis + 1));
    const values = like(x.data, sizeOf(shape));
    const places = Array<number>(values.length).fill(0);
    ranked(x, axis, intAttr(node, 'largest', 1) === 1, (start, order) => {
      const block = Math.floor(start / (x.shape[axis]! * inner));
      for (let i = 0; i < count; i++) {
        const to = block * count * inner + i * inner + (start % inner);
        values[to] = x.data[start + order[i]! * inner]!;
        places[to] = order[i]!;
      }
    });
    return [{ type: x.type, shape, data: values }, tensor('int64', shape, places)];
  },
};

export const CumSum: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const axis = optionalInts(ctx, 1, 'axis')?.[0] ?? contradicts(ctx.node, 'its axis is missing.');
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
    if (x.shape.length < 2) contradicts(ctx.node, `needs a matrix, not shape [${x.shape.join()}].`);
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
      g.constantValue(depthInput) ??
        fail(node, 'its depth depends on the input data. Export the model with a constant there.'),
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
  fold: (node, [indices, depthInput, values]) => {
    if (!indices || !depthInput || !values) return undefined;
    const depth = numbersOf(depthInput)[0]!;
    const { axis, shape } = oneHotShape(node, indices.shape, depth);
    const inner = sizeOf(indices.shape.slice(axis));
    const data = like(values.data, sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = values.data[0]!;
    numbersOf(indices).forEach((index, i) => {
      const hot = index < 0 ? index + depth : index;
      if (hot >= 0 && hot < depth)
        data[(Math.floor(i / inner) * depth + hot) * inner + (i % inner)] = values.data[1]!;
    });
    return [{ type: values.type, shape, data }];
  },
};
