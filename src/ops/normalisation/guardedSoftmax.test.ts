import { expect, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '../import/import.ts';
import { builder } from '../table.ts';
import { graphOf, model, n, scalar, value } from '../testing/models.ts';
import { runGraph } from '../testing/runGraph.ts';

const lowest = -3.4028234663852886e38;

/** PyTorch's scaled_dot_product_attention gives rows without a key 0, and no gradient: numbers by torch.where(row has a key, softmax, 0). */
test('a softmax guarded against rows of −∞ has PyTorch’s gradient, and no node for NaN', async () => {
  const nodes = [
    n('Softmax', ['x'], ['s'], { axis: -1 }),
    n('IsNaN', ['s'], ['nan']),
    n('Where', ['nan', 'zero', 's'], ['y']),
  ];
  const imported = importGraph(
    model(graphOf(nodes, { zero: scalar(0) }, [value('x', 'float32', [3, 3])], ['y'])),
  );
  expect(imported.nodes.map((node) => node.op)).not.toContain('IsNaN');
  expect(imported.nodes.filter((node) => node.op === 'Softmax').length).toBe(1);
  const g = builder(imported);
  const y = g.outputs[0]!;
  const weights = g.constant(tensor('float32', [3, 3], [1, -2, 0.5, 2, 1, 3, 0.3, 0.6, -1]));
  const [dx] = backward(g, new Map([[y.name, weights]]), [g.inputs[0]!]);
  const rows = [0.5, -1, -Infinity, -Infinity, -Infinity, -Infinity, lowest, lowest, lowest];
  const out = await runGraph(g.build([y, dx!]), { x: tensor('float32', [3, 3], rows) });
  const near = (got: readonly number[], want: readonly number[]): void =>
    got.forEach((v, i) => expect(v).toBeCloseTo(want[i]!, 6));
  near(numbersOf(out[y.name]!), [0.8175745, 0.1824255, 0, 0, 0, 0, 1 / 3, 1 / 3, 1 / 3]);
  near(numbersOf(out[dx!.name]!), [0.4474394, -0.4474394, 0, 0, 0, 0, 0.1111111, 0.2111111, -0.3222222]);
});

test('a softmax whose NaN become another number keeps its guard', () => {
  const nodes = [
    n('Softmax', ['x'], ['s'], { axis: -1 }),
    n('IsNaN', ['s'], ['nan']),
    n('Where', ['nan', 'one', 's'], ['y']),
  ];
  const graph = graphOf(nodes, { one: scalar(1) }, [value('x', 'float32', [3, 3])], ['y']);
  expect(importGraph(model(graph)).nodes.map((node) => node.op)).toEqual(['Softmax', 'IsNaN', 'Where']);
});
