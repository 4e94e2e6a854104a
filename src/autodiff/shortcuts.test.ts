/** @file Gradients by shortcut equal those node by node, in every way that exporters write the patterns; what only looks like one is left alone. */
import { describe, expect, it } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { numbersOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { backward } from './backward.ts';
import { takeShortcuts } from './shortcuts.ts';

type Make = (g: Builder, inputs: readonly Value[]) => Value;

const noise = (seed: number, shape: readonly number[]): Tensor => {
  const next = uniform(seed);
  return tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, () => 6 * next() - 3),
  );
};

/** Gradients of Σ w·y, and the labels of the shortcuts that were taken. */
async function gradients(make: Make, shapes: readonly (readonly number[])[], short: boolean) {
  const g = builder();
  const inputs = shapes.map((shape, i) => g.input(`x${i}`, 'float32', shape));
  const y = make(g, inputs);
  const w = g.input('w', 'float32', y.shape);
  if (short) takeShortcuts(g);
  const labels = [...g.composites.values()].map((c) => c.label);
  const found = backward(g, new Map([[y.name, w]]), inputs);
  found.forEach((v, i) => g.output(v!, `d${i}`));
  const feeds = Object.fromEntries([...inputs, w].map((v, i) => [v.name, noise(i + 1, v.shape)]));
  const out = await runGraph(g.build(), feeds);
  return { labels, numbers: found.map((_, i) => numbersOf(out[`d${i}`]!)) };
}

async function expectSame(make: Make, shapes: readonly (readonly number[])[], labels: readonly string[]) {
  const [long, short] = [await gradients(make, shapes, false), await gradients(make, shapes, true)];
  expect(short.labels).toEqual(labels);
  short.numbers.forEach((numbers, k) => {
    const largest = Math.max(...long.numbers[k]!.map(Math.abs));
    numbers.forEach((v, i) => expect(Math.abs(v - long.numbers[k]![i]!)).toBeLessThan(3e-6 * (1 + largest)));
  });
}

const sigmoid = (g: Builder, x: Value): Value => g.emit('Sigmoid', [x]);

describe('SiLU', () => {
  it.each<[string, Make]>([
    ['x·σ(x)', (g, [x]) => g.mul(x!, sigmoid(g, x!))],
    ['σ(x)·x', (g, [x]) => g.mul(sigmoid(g, x!), x!)],
  ])('%s', (_, make) => expectSame(make, [[3, 5]], ['SiLU']));

  it('also where σ(x) is read by others', () =>
    expectSame(
      (g, [x]) => {
        const s = sigmoid(g, x!);
        return g.add(g.mul(x!, s), g.exp(s));
      },
      [[3, 5]],
      ['SiLU'],
    ));

  it('is not y·σ(x)', () =>
    expectSame(
      (g, [x, y]) => g.mul(y!, sigmoid(g, x!)),
      [
        [3, 5],
        [3, 5],
      ],
      [],
    ));
});

const bell = (g: Builder, x: Value, by: 'Div' | 'Mul' = 'Div'): Value => {
  const u = by === 'Div' ? g.div(x, g.scalar(Math.SQRT2)) : g.mul(x, g.scalar(Math.SQRT1_2));
  return g.add(g.emit('Erf', [u]), g.scalar(1));
};

describe('GELU', () => {
  it.each<[string, Make]>([
    ['½ (x t)', (g, [x]) => g.mul(g.mul(x!, bell(g, x!)), g.scalar(0.5))],
    ['(½ x) t', (g, [x]) => g.mul(g.mul(g.scalar(0.5), x!), bell(g, x!, 'Mul'))],
    ['t (½ x)', (g, [x]) => g.mul(bell(g, x!), g.mul(x!, g.scalar(0.5)))],
    ['x (½ t)', (g, [x]) => g.mul(x!, g.mul(bell(g, x!, 'Mul'), g.scalar(0.5)))],
    ['x (t / 2)', (g, [x]) => g.mul(x!, g.div(bell(g, x!), g.scalar(2)))],
  ])('%s', (_, make) => expectSame(make, [[3, 5]], ['GELU']));

  it.each<[string, Make]>([
    ['another factor', (g, [x]) => g.mul(g.mul(x!, bell(g, x!)), g.scalar(0.25))],
    [
      'erf of another multiple',
      (g, [x]) =>
        g.mul(g.mul(x!, g.add(g.emit('Erf', [g.mul(x!, g.scalar(0.9))]), g.scalar(1))), g.scalar(0.5)),
    ],
    ['another x', (g, [x, y]) => g.mul(g.mul(y!, bell(g, x!)), g.scalar(0.5))],
  ])('is not %s', (_, make) =>
    expectSame(
      (g, v) => g.add(make(g, v), v[1]!),
      [
        [3, 5],
        [3, 5],
      ],
      [],
    ),
  );
});

describe('attention', () => {
  const softmax = (g: Builder, x: Value, axis = -1): Value => g.emit('Softmax', [x], { axis });
  it.each([
    [
      [2, 3, 7, 7],
      [2, 3, 7, 4],
    ],
    [
      [6, 5, 9],
      [6, 9, 2],
    ],
    [
      [4, 8],
      [8, 3],
    ],
  ])('softmax(z)·v, z [%j], v [%j]', (z, v) =>
    expectSame((g, [a, b]) => g.matMul(softmax(g, a!), b!), [z, v], ['attention']),
  );

  it.each<[string, number[][], Make]>([
    [
      'where p is read by others',
      [
        [4, 8],
        [8, 3],
      ],
      (g, [z, v]) => {
        const p = softmax(g, z!);
        return g.matMul(g.mT(g.matMul(p, v!)), p);
      },
    ],
    [
      'over another axis',
      [
        [4, 8],
        [8, 3],
      ],
      (g, [z, v]) => g.matMul(softmax(g, z!, 0), v!),
    ],
    [
      'where v serves several heads',
      [
        [2, 4, 8],
        [8, 3],
      ],
      (g, [z, v]) => g.matMul(softmax(g, z!), v!),
    ],
    [
      'where v is wider than p',
      [
        [4, 3],
        [3, 8],
      ],
      (g, [z, v]) => g.matMul(softmax(g, z!), v!),
    ],
  ])('is left alone %s', (_, shapes, make) => expectSame(make, shapes, []));
});
