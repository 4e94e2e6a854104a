/** @file Operators that PyTorch's and ONNX Runtime's cases leave out, as small graphs: what has no gradient, and what passes it on. */
import { type AttributeInput, attributes } from '#src/graph/attributes.ts';
import { type Builder, castCodes } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { tensor, type Tensor } from '#src/onnx/tensor.ts';
import { operatorKey, operators } from '#src/ops/table.ts';

export interface PlainOperator {
  readonly inputs: readonly Tensor[];
  readonly build: (g: Builder, inputs: readonly Value[]) => Value;
  /** Why nodes of these operators stay on the CPU. */
  readonly onTheCpu?: string;
}

const floats = (...values: number[]): Tensor => tensor('float32', [2, 3], values);
const bools = (...values: number[]): Tensor => tensor('bool', [2, 3], values);
const ints = (...values: number[]): Tensor => tensor('int32', [2, 3], values);
const [a, b] = [floats(1, -2, 3, 0, 5, 6), floats(1, 2, -3, 0, 4, 7)];
const [p, q] = [bools(1, 0, 1, 0, 0, 1), bools(1, 1, 0, 0, 1, 1)];
const [m, n] = [ints(6, 3, 12, 255, 1, 0), ints(1, 2, 3, 4, 5, 6)];

/** Emits an operator as the import does: written out where its entry says so. */
function apply(
  g: Builder,
  key: string,
  inputs: readonly Value[],
  attrs: Readonly<Record<string, AttributeInput>> = {},
): Value {
  const [op = '', domain = ''] = key.split('::').reverse();
  const node: Node = {
    op,
    domain,
    name: 'tested',
    inputs: inputs.map((v) => v.name),
    outputs: ['tested'],
    attributes: attributes(attrs),
  };
  return operators[operatorKey(node)]!.expand?.(g, node, inputs)?.[0] ?? g.emit(op, [...inputs], attrs);
}

/** The operator's first output, as float32: what every backend can give back. */
const asFloat = (g: Builder, y: Value): Value =>
  y.type === 'float32' ? y : g.emit('Cast', [y], { to: castCodes.float32 });
const of = (op: string, ...inputs: Tensor[]): PlainOperator => ({
  inputs,
  build: (g, values) => asFloat(g, apply(g, op, values)),
});
const bits = 'WebGPU has no kernel for bits';
const onBits = (op: string, ...inputs: Tensor[]): PlainOperator => ({ ...of(op, ...inputs), onTheCpu: bits });
const specials = floats(1, NaN, Infinity, -Infinity, 0, -0);
const cast = (to: DType) => ({ to: castCodes[to] });

const lookUp = (g: Builder, places: Value): Value =>
  g.emit('Gather', [g.constant(tensor('float32', [3], [10, 20, 30])), places]);

export const plainOperators: Readonly<Record<string, PlainOperator>> = {
  Equal: of('Equal', a, b),
  Greater: of('Greater', a, b),
  Less: of('Less', a, b),
  GreaterOrEqual: of('GreaterOrEqual', a, b),
  LessOrEqual: of('LessOrEqual', a, b),
  Not: of('Not', p),
  And: of('And', p, q),
  Or: of('Or', p, q),
  Xor: of('Xor', p, q),
  IsNaN: {
    ...of('IsNaN', specials),
    onTheCpu: 'WebGPU has no kernel, and shaders may take it that there are no NaN',
  },
  IsInf: {
    ...of('IsInf', specials),
    onTheCpu: 'WebGPU has no kernel, and shaders may take it that there are no infinities',
  },
  BitwiseAnd: onBits('BitwiseAnd', m, n),
  BitwiseOr: onBits('BitwiseOr', m, n),
  BitwiseXor: onBits('BitwiseXor', m, n),
  BitwiseNot: onBits('BitwiseNot', m),
  BitShift: {
    inputs: [tensor('uint32', [3], [1, 6, 12]), tensor('uint32', [3], [1, 2, 3])],
    build: (g, values) => asFloat(g, g.emit('BitShift', [...values], { direction: 'LEFT' })),
    onTheCpu: bits,
  },
  // Places are int64; what they are used for is looking up, not arithmetic.
  ArgMax: { inputs: [a], build: (g, [x]) => lookUp(g, g.emit('ArgMax', [x!], { axis: 1, keepdims: 0 })) },
  ArgMin: { inputs: [a], build: (g, [x]) => lookUp(g, g.emit('ArgMin', [x!], { axis: 0 })) },
  OneHot: {
    inputs: [tensor('int32', [3], [2, 0, 1])],
    build: (g, [x]) =>
      g.emit('OneHot', [x!, g.ints([4]), g.constant(tensor('float32', [2], [0, 1]))], { axis: -1 }),
  },
  Identity: of('Identity', a),
  Cast: { inputs: [a], build: (g, [x]) => asFloat(g, g.emit('Cast', [x!], cast('int32'))) },
  CastLike: { inputs: [a, n], build: (g, [x, like]) => asFloat(g, g.emit('CastLike', [x!, like!])) },
  'com.microsoft::GemmFastGelu': of(
    'com.microsoft::GemmFastGelu',
    a,
    tensor('float32', [3, 2], [1, 2, 3, -1, -2, 1]),
    tensor('float32', [2], [0.5, -0.5]),
  ),
  'com.microsoft::NhwcConv': {
    inputs: [
      tensor(
        'float32',
        [1, 3, 3, 2],
        Array.from({ length: 18 }, (_, i) => Math.sin(i)),
      ),
      tensor(
        'float32',
        [2, 2, 2, 2],
        Array.from({ length: 16 }, (_, i) => Math.cos(i)),
      ),
    ],
    build: (g, values) => apply(g, 'com.microsoft::NhwcConv', values),
  },
  'ai.onnx.ml::ArrayFeatureExtractor': {
    inputs: [a],
    build: (g, [x]) => apply(g, 'ai.onnx.ml::ArrayFeatureExtractor', [x!, g.ints([2, 0, 2])]),
  },
  'ai.onnx.ml::Scaler': {
    inputs: [a],
    build: (g, values) => apply(g, 'ai.onnx.ml::Scaler', values, { offset: [1, 2, 3], scale: [0.5, 2, -1] }),
  },
};

/** What never reaches a device, and why. */
export const neverThere: Readonly<Record<string, string>> = {
  Constant: 'a constant of the graph',
  Dropout: 'at inference it passes its input on: it is left out when the file is read',
  ConstantOfShape: 'shapes are bound: it is folded',
  Shape: 'shapes are bound: it is folded',
  Size: 'shapes are bound: it is folded',
  Range: 'only of constants: it is folded',
  NonZero: 'only of constants: it is folded',
  EyeLike: 'shapes are bound: it is folded',
  HannWindow: 'only of constants: it is folded',
  HammingWindow: 'only of constants: it is folded',
  BlackmanWindow: 'only of constants: it is folded',
  MelWeightMatrix: 'only of constants: it is folded',
  Upsample: 'becomes Resize when the file is read',
  Scatter: 'becomes ScatterElements when the file is read',
  QuantizeLinear: 'no kernel: weights that are quantised are frozen, and dequantised on the device',
  'com.microsoft::QuantizeLinear': 'as QuantizeLinear',
  DynamicQuantizeLinear: 'no kernel: it runs on the CPU, before layers that are refused unless frozen',
};
