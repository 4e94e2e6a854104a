import { expect, test } from 'vitest';
import { numbersOf, type Tensor, tensorOf } from '#src/onnx/tensor.ts';
import { importGraph } from '../import/import.ts';
import { graphOf, model, n, scalar, value } from '../testing/models.ts';

/** What the import makes of x + operator(constants): the folded constant. */
function folded(op: string, shape: number[], inputs: Record<string, Tensor>, attrs = {}): number[] {
  const nodes = [n(op, Object.keys(inputs), ['t'], attrs), n('Add', ['x', 't'], ['y'])];
  const graph = importGraph(model(graphOf(nodes, inputs, [value('x', 'float32', shape)], ['y'])));
  expect(graph.nodes.map((node) => node.op)).toEqual(['Add']);
  return numbersOf(tensorOf(graph.constants.get(graph.nodes[0]!.inputs[1]!)!));
}
const near = (got: readonly number[], want: readonly number[]): void => {
  expect(got.length).toBe(want.length);
  got.forEach((v, i) => expect(v).toBeCloseTo(want[i]!, 5));
};

/** Numbers of ONNX Runtime's kernels. */
test.each<[string, number, number[]]>([
  ['HannWindow', 1, [0, 0.345492, 0.904508, 0.904508, 0.345492]],
  ['HannWindow', 0, [0, 0.5, 1, 0.5, 0]],
  ['HammingWindow', 1, [0.086957, 0.402405, 0.912812, 0.912812, 0.402405]],
  ['HammingWindow', 0, [0.086957, 0.543478, 1, 0.543478, 0.086957]],
  ['BlackmanWindow', 1, [0, 0.20077, 0.84923, 0.84923, 0.20077]],
  ['BlackmanWindow', 0, [0, 0.34, 1, 0.34, 0]],
])('%s, periodic %i', (op, periodic, want) => {
  near(folded(op, [5], { size: scalar(5, 'int64') }, { periodic }), want);
});

test('MelWeightMatrix', () => {
  const inputs = {
    bands: scalar(3, 'int64'),
    length: scalar(16, 'int64'),
    rate: scalar(8192, 'int64'),
    low: scalar(0),
    high: scalar(4096),
  };
  const columns = [
    [1, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 1, 0.5, 0, 0, 0, 0, 0, 0],
    [0, 0, 0.5, 1, 0.5, 0, 0, 0, 0],
  ];
  near(
    folded('MelWeightMatrix', [9, 3], inputs),
    Array.from({ length: 27 }, (_, i) => columns[i % 3]![Math.floor(i / 3)]!),
  );
  expect(() => folded('MelWeightMatrix', [9, 3], { ...inputs, high: scalar(16384) })).toThrow(
    /beyond the spectrum/,
  );
});
