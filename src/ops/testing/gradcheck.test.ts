import { expect, test } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { checkClosure, checkGradient } from './gradcheck.ts';
import { runGraph } from './runGraph.ts';

test('runs a graph', async () => {
  const g = builder();
  const x = g.input('x', 'float32', [2]);
  const y = g.output(g.add(x, g.scalar(2)), 'y');
  const out = await runGraph(g.build([y]), { x: tensor('float32', [2], [1, 2]) });
  expect(numbersOf(out.y!)).toEqual([3, 4]);
});

/** x² whose gradient is given by hand. */
const square = (rule: (g: Builder, x: Value, dy: Value) => Value | null) => (g: Builder, inputs: Value[]) => {
  const x = inputs[0]!;
  return g.composite('square', [x], g.mul(x, x), (dy) => [rule(g, x, dy)]);
};

const inputs = [{ shape: [2, 3] }];

test('accepts a right rule', async () => {
  const right = square((g, x, dy) => g.mul(g.mul(dy, x), g.scalar(2, x.type)));
  const result = await checkGradient({ build: right, inputs });
  expect(result.type).toBe('float64');
  await checkGradient({ build: right, inputs, type: 'float32' });
});

test.each<[string, Parameters<typeof square>[0]]>([
  ['a wrong factor', (g, x, dy) => g.mul(g.mul(dy, x), g.scalar(2.0001, x.type))],
  ['a wrong sign', (g, x, dy) => g.mul(g.mul(dy, x), g.scalar(-2, x.type))],
  ['a missing gradient', () => null],
  ['a shift', (g, x, dy) => g.add(g.mul(g.mul(dy, x), g.scalar(2, x.type)), g.scalar(1e-4, x.type))],
])('refuses a rule with %s', async (_, rule) => {
  await expect(checkGradient({ build: square(rule), inputs })).rejects.toThrow(/Gradient of input 0/);
});

test('refuses a wrong rule in float32 too', async () => {
  const wrong = square((g, x, dy) => g.mul(g.mul(dy, x), g.scalar(2.05, x.type)));
  await expect(checkGradient({ build: wrong, inputs, type: 'float32' })).rejects.toThrow(/differences give/);
});

test('refuses operators that WebGPU does not run', () => {
  const g = builder();
  const x = g.input('x', 'float32', [2]);
  g.emit('IsNaN', [x]);
  expect(() => checkClosure(g.build(), g.nodes)).toThrow(/IsNaN/);
});
