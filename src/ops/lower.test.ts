import { expect, it } from 'vitest';
import { tensor } from '#src/onnx/tensor.ts';
import { lowerGraph } from './lower.ts';
import { builder } from './table.ts';
import { runGraph } from './testing/runGraph.ts';

it('replaces LogSoftmax, wherever it stands, and keeps names and numbers', async () => {
  const g = builder();
  const x = g.input('x', 'float32', [2, 3]);
  const inner = g.emit('LogSoftmax', [x], { axis: 1 });
  g.output(g.emit('LogSoftmax', [g.mul(inner, g.scalar(0.5))], { axis: 1 }, { outputNames: ['y'] }));
  const graph = g.build();
  const lowered = lowerGraph(graph);
  expect(lowered.nodes.map((n) => n.op)).not.toContain('LogSoftmax');
  expect(lowered.outputs.map((v) => v.name)).toEqual(['y']);
  const feeds = { x: tensor('float32', [2, 3], [0.1, -2, 3, 50, 0, -50]) };
  const [want, got] = [await runGraph(graph, feeds), await runGraph(lowered, feeds)];
  got['y']!.data.forEach((v, i) => expect(Number(v)).toBeCloseTo(Number(want['y']!.data[i]), 4));
});

it('leaves a graph alone that has nothing to lower', () => {
  const g = builder();
  g.output(g.exp(g.input('x', 'float32', [2])));
  const graph = g.build();
  expect(lowerGraph(graph)).toBe(graph);
});
