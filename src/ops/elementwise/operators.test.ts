import { expect, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { attributes, float } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import type { DType } from '#src/onnx/model.ts';
import { builder, operators } from '../table.ts';
import { apply, checkForms } from '../testing/apply.ts';
import { checkFold } from '../testing/foldCheck.ts';
import { checkGradient, type InputSpec } from '../testing/gradcheck.ts';
import { runGraph } from '../testing/runGraph.ts';

const away = { shape: [3, 4], values: [-2.7, -1.9, -1.3, -0.8, -0.5, -0.2, 0.3, 0.6, 1.1, 1.7, 2.2, 2.8] };
const inside = { shape: [6], range: [-0.7, 0.7] } as const;
const positive = { shape: [3, 4], range: [0.3, 2] } as const;

test.each<[string, InputSpec, object?]>([
  ['Neg', away],
  ['Abs', away],
  ['Sqrt', positive],
  ['Reciprocal', positive],
  ['Exp', away],
  ['Log', positive],
  ['Erf', away],
  ['Sin', away],
  ['Cos', away],
  ['Tan', { shape: [5], range: [-1, 1] }],
  ['Tanh', away],
  ['Sigmoid', away],
  ['Relu', away],
  ['LeakyRelu', away, { alpha: 0.2 }],
  ['Elu', away, { alpha: 0.7 }],
  ['Selu', away],
  ['Celu', away, { alpha: 1.4 }],
  ['Softplus', away],
  ['Softsign', away],
  ['HardSigmoid', away],
  ['HardSwish', away],
  ['Mish', away],
  ['Gelu', away],
  ['Gelu', away, { approximate: 'tanh' }],
  ['Asin', inside],
  ['Acos', inside],
  ['Atan', away],
  ['Sinh', away],
  ['Cosh', away],
  ['Asinh', away],
  ['Acosh', { shape: [5], range: [1.5, 3] }],
  ['Atanh', inside],
  ['ThresholdedRelu', away, { alpha: 0.8 }],
  ['ThresholdedRelu', away],
  ['Shrink', away, { lambd: 0.9, bias: 0.3 }],
  ['Swish', away],
  ['Swish', away, { alpha: 1.5 }],
  ['Exp', { shape: [] }],
  ['Gelu', { shape: [] }],
  ['Tanh', { shape: [0, 2] }],
])('%s differentiates', async (op, input, attrs) => {
  await checkGradient({ build: (g, [x]) => apply(g, op, [x!], { ...attrs }), inputs: [input] });
});

const pairs = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 3]],
  [[2, 3], []],
  [[], []],
  [
    [4, 1, 2],
    [3, 1],
  ],
  [[1], [1, 1, 1]],
] as const;

test.each(
  ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min'].flatMap((op) =>
    pairs.map(([a, b]) => [op, a, b] as const),
  ),
)('%s differentiates over %j and %j', async (op, a, b) => {
  const inputs = [
    { shape: a, range: [0.5, 2] },
    { shape: b, range: [0.6, 2.2] },
  ] as const;
  for (const wants of [
    [true, true],
    [true, false],
    [false, true],
  ])
    await checkGradient({ build: (g, [x, y]) => g.emit(op, [x!, y!]), inputs, wants, directions: 2 });
});

test.each(['Sum', 'Mean', 'Max', 'Min'])('%s of three differentiates', async (op) => {
  await checkGradient({
    build: (g, inputs) => g.emit(op, inputs),
    inputs: [{ shape: [2, 3] }, { shape: [3] }, { shape: [2, 1] }],
  });
});

test('a value times itself gets both halves', async () => {
  await checkGradient({ build: (g, [x]) => g.mul(x!, x!), inputs: [{ shape: [3] }] });
});

test.each([0, 0.5, 1, 2, 3, -1, 2.5])(
  'a constant exponent %d gets no gradient and costs little',
  async (e) => {
    const { emitted } = await checkGradient({
      build: (g, [x]) => g.emit('Pow', [x!, g.scalar(e, x!.type)]),
      inputs: [{ shape: [4], range: [0.4, 2] }],
    });
    expect(emitted.map((n) => n.op)).not.toContain('Log');
    expect(emitted.length).toBeLessThanOrEqual(3);
  },
);

test('Clip passes its cotangent to what it let through', async () => {
  const x = { shape: [6], values: [-2, -0.9, -0.1, 0.4, 1.3, 2] };
  const bounds = [
    { shape: [], values: [-0.5] },
    { shape: [], values: [0.8] },
  ];
  await checkGradient({ build: (g, [v, a, b]) => g.emit('Clip', [v!, a!, b!]), inputs: [x, ...bounds] });
  await checkGradient({ build: (g, [v, b]) => g.emit('Clip', [v!, null, b!]), inputs: [x, bounds[1]!] });
  // Bounds in the wrong order: the upper one is all that is left.
  const [low, high] = bounds;
  await checkGradient({ build: (g, [v, a, b]) => g.emit('Clip', [v!, a!, b!]), inputs: [x, high!, low!] });
});

test('PRelu differentiates by its slope', async () => {
  await checkGradient({
    build: (g, [x, s]) => g.emit('PRelu', [x!, s!]),
    inputs: [away, { shape: [3, 1], range: [0.1, 0.5] }],
  });
});

test('Where differentiates by both branches', async () => {
  await checkGradient({
    build: (g, [a, b, x]) => g.where(g.emit('Greater', [x!, g.scalar(0, x!.type)]), a!, b!),
    inputs: [{ shape: [3] }, { shape: [2, 1] }, { shape: [2, 3] }],
  });
});

test.each([
  ['QuickGelu', [{ shape: [2, 3] }]],
  ['Gelu', [{ shape: [2, 3] }]],
  ['FastGelu', [{ shape: [2, 3] }, { shape: [3] }]],
])('com.microsoft %s differentiates', async (op, inputs) => {
  const build = (g: Builder, v: Parameters<Builder['emit']>[1]) =>
    g.emit(op, v, {}, { domain: 'com.microsoft' });
  await checkGradient({ build, inputs, type: 'float32' });
});

test.each([-Infinity, -3.4028234663852886e38])('a mask of %d leaves finite gradients', async (masked) => {
  const g = builder();
  const scores = g.input('scores', 'float32', [2, 3]);
  const keep = g.constant(tensor('bool', [2, 3], [1, 0, 1, 1, 1, 0]));
  const bias = g.where(keep, g.scalar(0), g.scalar(masked));
  const selected = g.where(keep, scores, g.scalar(masked));
  const y = g.add(g.emit('Softmax', [g.add(scores, bias)]), g.emit('Softmax', [selected]));
  const dy = g.constant(tensor('float32', [2, 3], [1, -2, 3, 0.5, 1, 2]));
  const [dx] = backward(g, new Map([[y.name, dy]]), [scores]);
  const out = await runGraph(g.build([dx!]), { scores: tensor('float32', [2, 3], [0.1, 0.7, -1, 2, 1, 0]) });
  const values = numbersOf(out[dx!.name]!);
  expect(values.every(Number.isFinite)).toBe(true);
  expect(values[1]).toBe(0);
  expect(Math.abs(values[0]!)).toBeGreaterThan(0.01);
});

const values = [-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 0.49999997, 3.2];
test.each(['Round', 'Sign'])('%s lowers to the same values', async (op) => {
  const g = builder();
  const x = g.input('x', 'float32', [values.length]);
  const plain = g.emit(op, [x]);
  const lowered = operators[op]!.lower!(g, g.nodes.at(-1)!, [x])![0]!;
  const out = await runGraph(g.build([plain, lowered]), { x: tensor('float32', [values.length], values) });
  // Adding 0 makes −0 into 0.
  expect(numbersOf(out[lowered.name]!).map((v) => v + 0)).toEqual(
    numbersOf(out[plain.name]!).map((v) => v + 0),
  );
});

test.each(['Or', 'Xor'])('%s lowers to the same values', async (op) => {
  const g = builder();
  const a = g.input('a', 'bool', [4]);
  const b = g.input('b', 'bool', [4]);
  const plain = g.emit(op, [a, b]);
  const lowered = operators[op]!.lower!(g, g.nodes.at(-1)!, [a, b])![0]!;
  const feeds = { a: tensor('bool', [4], [0, 0, 1, 1]), b: tensor('bool', [4], [0, 1, 0, 1]) };
  const out = await runGraph(g.build([plain, lowered]), feeds);
  expect(numbersOf(out[lowered.name]!)).toEqual(numbersOf(out[plain.name]!));
});

const node = (op: string, attributes = {}) => ({
  op,
  domain: '',
  name: 'n',
  inputs: ['a', 'b', 'c'],
  outputs: ['y'],
  attributes,
});
const fold = (op: string, inputs: Tensor[], attributes = {}): Tensor | undefined =>
  operators[op]!.fold!(node(op, attributes), inputs)?.[0];
const ints = (...v: number[]): Tensor => tensor('int64', [v.length], v);

test.each<[string, Tensor[], number[], object?]>([
  ['Add', [ints(1, 2), ints(10)], [11, 12]],
  ['Div', [ints(-7, 7, 9), ints(2, -2, 3)], [-3, -3, 3]],
  ['Mod', [ints(-7, 7, -6), ints(3, -3, 3)], [2, -2, 0]],
  ['Mod', [ints(-7, 7), ints(3, -3)], [-1, 1], { fmod: { kind: 'int', value: 1 } }],
  ['Min', [ints(3, -4), ints(2)], [2, -4]],
  ['Pow', [ints(3), tensor('float32', [], [2])], [9]],
  ['Equal', [ints(-1, 4), ints(-1)], [1, 0]],
  ['LessOrEqual', [tensor('float32', [2], [1, 3]), tensor('float32', [], [1])], [1, 0]],
  ['Not', [tensor('bool', [2], [1, 0])], [0, 1]],
  ['Xor', [tensor('bool', [2], [1, 0]), tensor('bool', [1], [1])], [0, 1]],
  ['Where', [tensor('bool', [2, 1], [1, 0]), ints(1, 2), ints(8, 9)], [1, 2, 8, 9]],
  ['Mul', [tensor('int32', [1], [65536]), tensor('int32', [1], [65537])], [65536]],
  ['Sqrt', [tensor('float32', [], [16])], [4]],
  ['Round', [tensor('float32', [4], [0.5, 1.5, 2.5, -0.5])], [0, 2, 2, 0]],
])('%s folds constants', (op, inputs, expected, attributes) => {
  expect(numbersOf(fold(op, inputs, attributes)!)).toEqual(expected);
});

test('folding keeps all 64 bits, and leaves division by zero to the runtime', () => {
  const huge: Tensor = { type: 'int64', shape: [1], data: BigInt64Array.of(9223372036854775807n) };
  expect(fold('Min', [huge, huge])!.data[0]).toBe(9223372036854775807n);
  expect(fold('Sub', [huge, ints(1)])!.data[0]).toBe(9223372036854775806n);
  expect(fold('Div', [ints(1), ints(0)])).toBeUndefined();
});

test('folds agree with the runtime over broadcasting', async () => {
  const a = tensor('float32', [2, 1, 2], [1, -2, 3, 4.5]);
  const b = tensor('float32', [3, 1], [0.5, 2, -3]);
  for (const op of ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Less']) {
    const g = builder();
    const y = g.emit(op, [g.input('a', 'float32', a.shape), g.input('b', 'float32', b.shape)]);
    const out = (await runGraph(g.build([y]), { a, b }))[y.name]!;
    const folded = fold(op, [a, b])!;
    expect(folded.shape).toEqual(out.shape);
    expect(numbersOf(folded)).toEqual(numbersOf(out));
  }
});

test('Clip’s bounds move from attributes to inputs', () => {
  const g = builder();
  const x = g.input('x', 'float32', [2]);
  const old = { ...node('Clip', { min: float(-1) }), inputs: ['x'] };
  const [y] = g.append(operators.Clip!.convert!(old, 6, g));
  const added = g.nodes.at(-1)!;
  expect([added.inputs[0], added.inputs[2], y!.shape]).toEqual([x.name, '', [2]]);
  expect(numbersOf(g.constantValue(g.value(added.inputs[1]!))!)).toEqual([-1]);
});

test('operands that do not fit are refused by name', () => {
  const g = builder();
  const a = g.input('a', 'float32', [2]);
  expect(() => g.add(a, g.input('b', 'float32', [3]))).toThrow(/Add .*\[2\] and \[3\] do not broadcast/);
  expect(() => g.add(a, g.input('c', 'int64', [2]))).toThrow(/float32 and int64/);
});

test.each<[string, object]>([
  ['Shrink', { lambd: 0.9, bias: float(0.25) }],
  ['Shrink', {}],
  ['Selu', {}],
  ['Celu', { alpha: 1.4 }],
  ['Softsign', {}],
  ['HardSigmoid', {}],
  ['Round', {}],
  ['Sign', {}],
])('%s %j is lowered to the same numbers', async (op, attrs) => {
  const values = [-2.5, -1.5, -0.9, -0.5, -0.2, 0, 0.3, 0.5, 0.9, 1.5, 2.5, 4];
  await checkForms({ op, attrs: { ...attrs }, inputs: [tensor('float32', [12], values)] });
});

test.each<[string, object, DType, number[][]]>([
  ['BitwiseAnd', {}, 'int32', [[12, -7, 3], [10]]],
  ['BitwiseOr', {}, 'int32', [[12, -7, 3], [10]]],
  ['BitwiseXor', {}, 'int64', [[12, -7, 3], [10]]],
  ['BitwiseNot', {}, 'uint8', [[12, 255, 0]]],
  ['BitShift', { direction: 'LEFT' }, 'uint32', [[1, 7, 2 ** 31], [3]]],
  ['BitShift', { direction: 'RIGHT' }, 'uint8', [[1, 7, 255], [2]]],
  ['IsInf', {}, 'float32', [[1, -Infinity, Infinity, NaN]]],
  ['IsInf', { detect_negative: 0 }, 'float32', [[1, -Infinity, Infinity, NaN]]],
])('%s %j folds as onnxruntime computes it', async (op, attrs, type, values) => {
  await checkFold({
    op,
    attributes: attributes({ ...attrs }),
    inputs: values.map((v) => tensor(type, [v.length], v)),
  });
});
