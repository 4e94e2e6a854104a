import { expect, it } from 'vitest';
import { tensor } from '#src/onnx/tensor.ts';
import { lowerGraph } from './lower.ts';
import { builder } from '../table.ts';
import { runGraph } from '../testing/runGraph.ts';

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

it('cuts many parts in a tree, and takes booleans and integers by detours', async () => {
  const g = builder();
  const x = g.input('x', 'int32', [3, 20]);
  const parts = g.emitAll('Split', [x], { axis: 1, num_outputs: 20 }, { outputs: 20 });
  const rest = g.emit('Mod', [parts[3]!, g.emit('Neg', [parts[17]!])]);
  const fraction = g.emit('Mod', [parts[3]!, parts[17]!], { fmod: 1 });
  const size = g.emit('Abs', [g.emit('Relu', [g.slice(x, [-2], [-18], [1], [-5])])]);
  const positive = g.emit('Greater', [x, g.scalar(0, 'int32')]);
  const turned = g.emit('Concat', [g.transpose(positive, [1, 0]), g.transpose(positive, [1, 0])], {
    axis: 0,
  });
  [rest, fraction, size, turned].forEach((v, i) => g.output(v, `y${i}`));
  const graph = g.build();
  const lowered = lowerGraph(graph);
  expect(Math.max(...lowered.nodes.map((n) => n.outputs.length))).toBeLessThanOrEqual(7);
  expect(lowered.nodes.map((n) => n.op)).not.toContain('Mod');
  const values = Array.from({ length: 60 }, (_, i) => ((i * 17) % 23) - 11 || 5);
  const feeds = { x: tensor('int32', [3, 20], values) };
  const [want, got] = [await runGraph(graph, feeds), await runGraph(lowered, feeds)];
  for (const { name } of graph.outputs) expect(got[name]!.data, name).toEqual(want[name]!.data);
});
