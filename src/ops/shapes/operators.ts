/** @file Operators that make tensors from shapes and constants: after binding they fold away. */
import { intAttr, tensorAttr } from '#src/graph/attributes.ts';
import { castCodes } from '#src/graph/builder.ts';
import type { ValueType } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor, type Tensor, tensorOf } from '#src/onnx/tensor.ts';
import { contradicts, fail, intsOf, typeOfAttribute } from '../entries/arguments.ts';
import { requiredInput } from '../entries/common.ts';
import { like } from '../movement/strided.ts';
import type { Operator } from '../types.ts';

const range = (node: Node, rank: number): [number, number] => {
  const clamp = (x: number): number => Math.min(Math.max(x < 0 ? x + rank : x, 0), rank);
  const start = clamp(intAttr(node, 'start', 0));
  return [start, Math.max(start, clamp(intAttr(node, 'end', rank)))];
};

export const Shape: Operator = {
  shape: (ctx) => {
    const [start, end] = range(ctx.node, requiredInput(ctx, 0).shape.length);
    return [{ type: 'int64', shape: [end - start] }];
  },
  grad: 'none',
  fold: (node, [x]) => {
    if (!x) return undefined;
    const dims = x.shape.slice(...range(node, x.shape.length));
    return [tensor('int64', [dims.length], dims)];
  },
};

export const Size: Operator = {
  shape: () => [{ type: 'int64', shape: [] }],
  grad: 'none',
  fold: (_, [x]) => (x ? [tensor('int64', [], [sizeOf(x.shape)])] : undefined),
};

/** The value of a Constant node, in any of its attributes' forms. */
function constantValue(node: Node): Tensor | undefined {
  const value = tensorAttr(node, 'value');
  if (value) return value.data.kind === 'inline' ? tensorOf(value) : undefined;
  for (const [key, a] of Object.entries(node.attributes)) {
    if (key === 'value_float' && a.kind === 'float') return tensor('float32', [], [a.value]);
    if (key === 'value_int' && a.kind === 'int') return tensor('int64', [], [a.value]);
    if (key === 'value_floats' && a.kind === 'floats') return tensor('float32', [a.value.length], a.value);
    if (key === 'value_ints' && a.kind === 'ints') return tensor('int64', [a.value.length], a.value);
  }
  return undefined;
}

export const Constant: Operator = {
  shape: ({ node }) => {
    const value: ValueType | undefined = tensorAttr(node, 'value') ?? constantValue(node);
    if (!value)
      contradicts(node, `has no numeric value (${Object.keys(node.attributes).join(', ') || 'nothing'}).`);
    return [{ type: value.type, shape: value.shape }];
  },
  grad: 'none',
  fold: (node) => {
    const value = constantValue(node);
    return value && [value];
  },
};

const fillOf = (node: Node): Tensor => {
  const value = tensorAttr(node, 'value');
  return value ? tensorOf(value) : tensor('float32', [1], [0]);
};

export const ConstantOfShape: Operator = {
  shape: (ctx) => {
    const shape = intsOf(ctx, 0, 'dimensions');
    if (shape.some((d) => d < 0)) contradicts(ctx.node, `dimensions [${shape.join()}] are impossible.`);
    return [{ type: fillOf(ctx.node).type, shape }];
  },
  grad: 'none',
  fold: (node, [dims]) => {
    if (!dims) return undefined;
    const shape = numbersOf(dims);
    const fill = fillOf(node);
    const data = like(fill.data, sizeOf(shape));
    (data as Float32Array).fill(fill.data[0] as number);
    return [{ type: fill.type, shape, data }];
  },
  webgpu: () => false,
};

const rangeLength = ([start, limit, delta]: readonly number[]): number =>
  Math.max(0, Math.ceil((limit! - start!) / delta!));

export const Range: Operator = {
  shape: (ctx) => {
    const bounds = [0, 1, 2].map((i) => intsOf(ctx, i, 'bounds')[0]!);
    if (bounds[2] === 0) contradicts(ctx.node, 'its step is 0.');
    return [{ type: requiredInput(ctx, 0).type, shape: [rangeLength(bounds)] }];
  },
  grad: 'none',
  fold: (_, inputs) => {
    if (inputs.some((t) => !t)) return undefined;
    const [start, limit, delta] = inputs.map((t) => numbersOf(t!)[0]!);
    const n = rangeLength([start!, limit!, delta!]);
    return [
      tensor(
        inputs[0]!.type,
        [n],
        Array.from({ length: n }, (_, i) => start! + i * delta!),
      ),
    ];
  },
};

/** Row-major indices of the elements that are not zero. */
function nonZero(x: Tensor): Tensor {
  const rank = x.shape.length;
  const rows: number[][] = Array.from({ length: rank }, () => []);
  numbersOf(x).forEach((v, flat) => {
    if (v === 0) return;
    for (let axis = rank - 1, rest = flat; axis >= 0; axis--) {
      rows[axis]!.push(rest % x.shape[axis]!);
      rest = Math.floor(rest / x.shape[axis]!);
    }
  });
  const n = rank === 0 ? Number(numbersOf(x)[0] !== 0) : rows[0]!.length;
  return tensor('int64', [rank, n], rows.flat());
}

export const NonZero: Operator = {
  shape: (ctx) => {
    const x = ctx.constant(0);
    if (!x) fail(ctx.node, 'the shape of its output depends on the input data. Export the model without it.');
    return [{ type: 'int64', shape: nonZero(x).shape }];
  },
  grad: 'none',
  fold: (_, [x]) => (x ? [nonZero(x)] : undefined),
  webgpu: () => false,
};

const eyeType = (node: Node, fallback: DType): DType =>
  typeOfAttribute(node, intAttr(node, 'dtype', castCodes[fallback]));

export const EyeLike: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    return [{ type: eyeType(ctx.node, x.type), shape: x.shape }];
  },
  grad: 'none',
  fold: (node, [x]) => {
    if (x?.shape.length !== 2) return undefined;
    const [rows, columns] = x.shape as [number, number];
    const k = intAttr(node, 'k', 0);
    const values = Array.from({ length: rows * columns }, (_, i) =>
      Number((i % columns) - Math.floor(i / columns) === k),
    );
    return [tensor(eyeType(node, x.type), x.shape, values)];
  },
  webgpu: () => false,
};
