import { expect, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { stagedMean, stagedSum } from './sums.ts';
import { builder, operators } from '../table.ts';
import { checkGradient, type InputSpec } from '../testing/gradcheck.ts';
import { uniform } from '../testing/random.ts';
import { runGraph } from '../testing/runGraph.ts';

const names = 'Sum Mean Max Min Prod L1 L2 SumSquare LogSum LogSumExp'.split(' ').map((n) => `Reduce${n}`);

const inputOf = (op: string, shape: readonly number[]): InputSpec => ({
  shape,
  range: op === 'ReduceLogSum' || op === 'ReduceL1' ? [0.3, 2] : [-2, 2],
});

const axesOf = [undefined, [], [0], [-1], [1], [0, 2], [-1, 0, 1]] as const;

test.each(
  names.flatMap((op) =>
    axesOf.flatMap((axes) => [0, 1].map((keepdims) => ({ op, axes, keepdims, noop: 0 }))),
  ),
)('$op over $axes, keepdims $keepdims', async ({ op, axes, keepdims }) => {
  await checkGradient({
    build: (g, [x]) => g.emit(op, axes ? [x!, g.ints(axes)] : [x!], { keepdims }),
    inputs: [inputOf(op, [2, 3, 4])],
    directions: 2,
  });
});

test.each(names)('%s of a scalar', async (op) => {
  await checkGradient({ build: (g, [x]) => g.emit(op, [x!]), inputs: [{ shape: [], values: [0.7] }] });
});

test.each(['ReduceSum', 'ReduceMean'])('%s is the identity where empty axes say so', async (op) => {
  const result = await checkGradient({
    build: (g, [x]) => g.emit(op, [x!, g.ints([])], { noop_with_empty_axes: 1 }),
    inputs: [{ shape: [2, 3] }],
  });
  expect(result.outputs[0]!.shape).toEqual([2, 3]);
});

test.each(names)('%s takes its axes from the attribute of older opsets', (op) => {
  const g = builder();
  const x = g.input('x', 'float32', [2, 3, 4]);
  const attributes = {
    axes: { kind: 'ints', value: [0, -1] },
    keepdims: { kind: 'int', value: 0 },
  } as const;
  const old = { op, domain: '', name: 'old', inputs: ['x'], outputs: ['y'], attributes };
  const [y] = g.append(operators[op]!.convert!(old, 11, g));
  expect(y!.shape).toEqual([3]);
  expect(g.nodes.at(-1)!.attributes).not.toHaveProperty('axes');
  expect(numbersOf(g.constantValue(g.value(g.nodes.at(-1)!.inputs[1]!))!)).toEqual([0, -1]);
  expect(x.shape).toEqual([2, 3, 4]);
});

test('ReduceSum-13 has its axes as an input already', () => {
  const g = builder();
  const node = { op: 'ReduceSum', domain: '', name: '', inputs: ['x', 'a'], outputs: ['y'], attributes: {} };
  expect(operators.ReduceSum!.convert!(node, 13, g)).toBe(node);
});

test.each(names)('%s folds to what the runtime computes', async (op) => {
  const g = builder();
  const t = tensor('float32', [2, 3, 2], [0.5, 1, 2, 0.25, 3, 1, 1.5, 0.75, 2, 2, 0.1, 0.9]);
  const y = g.emit(op, [g.input('x', 'float32', t.shape), g.ints([0, -1])], { keepdims: 0 });
  const out = numbersOf((await runGraph(g.build([y]), { x: t }))[y.name]!);
  const folded = operators[op]!.fold!(g.nodes[0]!, [t, tensor('int64', [2], [0, -1])])![0]!;
  expect(folded.shape).toEqual([3]);
  numbersOf(folded).forEach((v, i) => expect(v).toBeCloseTo(out[i]!, 5));
});

test('integers fold exactly', () => {
  const node = { op: 'ReduceProd', domain: '', name: '', inputs: ['x'], outputs: ['y'], attributes: {} };
  const x = tensor('int64', [3], [2, 3, 7]);
  expect(numbersOf(operators.ReduceProd!.fold!(node, [x])![0]!)).toEqual([42]);
});

test('ties of an extremum share its cotangent equally', async () => {
  const g = builder();
  const x = g.input('x', 'float32', [4]);
  const y = g.emit('ReduceMax', [x, g.ints([0])], { keepdims: 0 });
  const [dx] = backward(g, new Map([[y.name, g.scalar(6)]]), [x]);
  const out = await runGraph(g.build([dx!]), { x: tensor('float32', [4], [2, 5, 5, 5]) });
  expect(numbersOf(out[dx!.name]!)).toEqual([0, 2, 2, 2]);
});

test('log-sum-exp lowers to a form that neither overflows nor turns −∞ into NaN', async () => {
  const g = builder();
  const x = g.input('x', 'float32', [3, 2]);
  const y = g.emit('ReduceLogSumExp', [x, g.ints([1])], { keepdims: 0 });
  const lowered = operators.ReduceLogSumExp!.lower!(g, g.nodes[0]!, [x, g.ints([1])])![0]!;
  expect(lowered.shape).toEqual(y.shape);
  const values = [500, 501, -Infinity, -Infinity, -Infinity, 2];
  const out = await runGraph(g.build([lowered]), { x: tensor('float32', [3, 2], values) });
  const [a, b, c] = numbersOf(out[lowered.name]!);
  expect(a).toBeCloseTo(501.31326, 3);
  expect([b, c]).toEqual([-Infinity, 2]);
});

const run = async (build: (g: Builder, x: Value) => Value, shape: number[], values: Float32Array) => {
  const g = builder();
  const y = build(g, g.input('x', 'float32', shape));
  return (await runGraph(g.build([y]), { x: { type: 'float32', shape, data: values } }))[y.name]!;
};

test.each<[number[], number[], boolean]>([
  [[1 << 20], [0], false],
  [[4, 64, 64, 64], [0, 1, 2, 3], true],
  [[4, 64, 64, 64], [0, 2, 3], true],
  [[64, 64, 256], [1, 2], false],
  [[1048573], [0], true],
])('staged sums of %j over %j stay accurate', async (shape, axes, keep) => {
  const random = uniform(3);
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random());
  const out = await run((g, x) => stagedSum(g, x, axes, keep), shape, data);
  const expected = await run((g, x) => g.reduceSum(g.cast(x, 'float64'), axes, keep), shape, data);
  expect(out.shape).toEqual(expected.shape);
  // A prime length cannot be split evenly and keeps the kernel's own error.
  const tolerance = shape[0] === 1048573 ? 1e-3 : 2e-6;
  numbersOf(expected).forEach((v, i) =>
    expect(Math.abs(Number(out.data[i]) / v - 1)).toBeLessThan(tolerance),
  );
});

test('staged means equal plain ones', async () => {
  const data = Float32Array.from({ length: 2 * 128 * 200 }, (_, i) => i % 7);
  const staged = await run((g, x) => stagedMean(g, x, [1, 2], true), [2, 128, 200], data);
  const plain = await run((g, x) => g.reduceMean(g.cast(x, 'float64'), [1, 2], true), [2, 128, 200], data);
  numbersOf(plain).forEach((v, i) => expect(Number(staged.data[i])).toBeCloseTo(v, 5));
});

test('small sums stay one node', () => {
  const g = builder();
  stagedSum(g, g.input('x', 'float32', [8, 8]), [0, 1]);
  expect(g.nodes.length).toBe(1);
});

test('axes that are not constant are refused by name', () => {
  const g = builder();
  const x = g.input('x', 'float32', [2]);
  const axes = g.input('axes', 'int64', [1]);
  expect(() => g.emit('ReduceSum', [x, axes])).toThrow(/ReduceSum .*axes/);
  expect(() => g.emit('ReduceSum', [x, g.ints([3])])).toThrow(/axis 3/);
});
