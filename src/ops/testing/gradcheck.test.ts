import { expect, test } from 'vitest';
import { tensor, numbersOf } from '#src/onnx/tensor.ts';
import { Builder } from '#src/graph/builder.ts';
import { runGraph } from './runGraph.ts';

test('runs a graph', async () => {
  const g = new Builder((n, i) => [{ type: i[0]!.type, shape: i[0]!.shape }]);
  const x = g.input('x', 'float32', [2]);
  const y = g.output(g.add(x, g.scalar(2)), 'y');
  const out = await runGraph(g.build([y]), { x: tensor('float32', [2], [1, 2]) });
  expect(numbersOf(out.y!)).toEqual([3, 4]);
});
