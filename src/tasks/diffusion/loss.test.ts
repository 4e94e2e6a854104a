import { describe, expect, it } from 'vitest';
import { tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { lossMean } from '#src/optim/loss.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { random } from '../random.ts';
import { diffusionLoss } from './loss.ts';

async function loss(shape: number[], weights: number[] | null, scale = 1) {
  const n = shape.reduce((a, b) => a * b, 1);
  const [p, t] = [0, 1].map((k) =>
    random(0, 'loss', k)
      .normal(n)
      .map((x) => x * scale),
  );
  const g = builder();
  const [prediction, target] = [g.input('p', 'float32', shape), g.input('t', 'float32', shape)];
  const weight = weights ? g.input('w', 'float32', [weights.length]) : null;
  g.output(lossMean(g, diffusionLoss(g, prediction, target, weight)), 'loss');
  const out = await runGraph(g.build(), {
    p: tensor('float32', shape, p!),
    t: tensor('float32', shape, t!),
    ...(weights && { w: tensor('float32', [weights.length], weights) }),
  });
  let sum = 0;
  for (let i = 0; i < n; i++)
    sum += (weights?.[Math.floor(i / (n / shape[0]!))] ?? 1) * (p![i]! - t![i]!) ** 2;
  expect(out['loss']!.shape).toEqual([]);
  return { got: Number(out['loss']!.data[0]), want: sum / n };
}

describe('diffusionLoss', () => {
  it.each([
    { shape: [2, 3, 4, 4], weights: null },
    { shape: [3, 5], weights: null },
    { shape: [3, 2, 2, 2], weights: [0.5, 2, 0] },
  ])('is the mean of w·(p − t)² over $shape', async ({ shape, weights }) => {
    const { got, want } = await loss(shape, weights);
    expect(Math.abs(got / want - 1)).toBeLessThan(1e-6);
  });

  it('keeps its digits over a million elements', async () => {
    const { got, want } = await loss([16, 4, 128, 128], null, 10);
    expect(Math.abs(got / want - 1)).toBeLessThan(2e-6);
  });

  it('refuses shapes that do not fit', () => {
    const g = builder();
    const input = (name: string, shape: number[]) => g.input(name, 'float32', shape);
    const p = input('p', [2, 6, 4, 4]);
    expect(() => diffusionLoss(g, p, input('t', [2, 3, 4, 4]), null)).toThrow(/2,6,4,4.*2,3,4,4/);
    expect(() => diffusionLoss(g, p, input('u', [2, 6, 4, 4]), input('w', [2, 1]))).toThrow(
      /weight per sample/,
    );
  });
});
