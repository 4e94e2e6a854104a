import { expect, it } from 'vitest';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';

it.each([2, 7, 8, 49, 50, 133])('cuts %i parts with no Split of more than 7 outputs', async (count) => {
  const sizes = Array.from({ length: count }, (_, i) => 1 + (i % 3));
  const total = sizes.reduce((n, s) => n + s, 0);
  const g = builder();
  const parts = g.split(g.input('x', 'float32', [total]), 0, sizes);
  parts.forEach((p, i) => g.output(p, `part${i}`));
  for (const node of g.nodes) expect(node.op !== 'Split' || node.outputs.length <= 7).toBe(true);
  const out = await runGraph(g.build(), {
    x: tensor(
      'float32',
      [total],
      Array.from({ length: total }, (_, i) => i),
    ),
  });
  expect(parts.map((p) => p.shape)).toEqual(sizes.map((s) => [s]));
  expect(sizes.flatMap((_, i) => numbersOf(out[`part${i}`]!))).toEqual(
    Array.from({ length: total }, (_, i) => i),
  );
});
