import { describe, expect, it } from 'vitest';
import { numbersOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '../import/import.ts';
import { checkGradient } from '../testing/gradcheck.ts';
import { model, n, graphOf, value } from '../testing/models.ts';
import { runGraph } from '../testing/runGraph.ts';

const rising = (type: 'int8' | 'float32', shape: readonly number[]): Tensor =>
  tensor(
    type,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => (type === 'int8' ? i : 0.5 + i / 4)),
  );
const ones = (shape: readonly number[]): Tensor =>
  tensor(
    'int8',
    shape,
    Array.from({ length: sizeOf(shape) }, () => 1),
  );

/** x, scale, zero point, attributes, and the opset; what onnxruntime 1.32 gives for x = 0, 1, 2 …, scales 0.5, 0.75 … and a zero point of 1. */
const cases: [number[], number[], number[], Record<string, number>, number, number[]][] = [
  [[1], [1], [1], {}, 13, [-0.5]],
  [[3], [1], [1], {}, 13, [-0.5, 0, 0.5]],
  [[3], [1], [1], { axis: 0 }, 13, [-0.5, 0, 0.5]],
  [[1], [1], [1], { axis: -1 }, 21, [-0.5]],
  [[1], [1], [1], { axis: 1 }, 21, [-0.5]],
  [[3], [1], [1], {}, 10, [-0.5, 0, 0.5]],
  [[3], [3], [3], { axis: 0 }, 21, [-0.5, 0, 1]],
  [[2, 3], [1], [1], { axis: 5 }, 21, [-0.5, 0, 0.5, 1, 1.5, 2]],
  [[2, 3], [1], [1], { axis: 0 }, 13, [-0.5, 0, 0.5, 1, 1.5, 2]],
  [[2, 3], [1], [], {}, 13, [-0.5, 0, 0.5, 1, 1.5, 2]],
  [[2, 3], [], [1], {}, 13, [-0.5, 0, 0.5, 1, 1.5, 2]],
  [[2, 3], [3], [3], {}, 13, [-0.5, 0, 1, 1, 2.25, 4]],
  [[1, 4], [1, 1], [1, 1], { axis: 1, block_size: 4 }, 21, [-0.5, 0, 0.5, 1]],
  [[2, 4], [2, 2], [2, 2], { axis: 1, block_size: 3 }, 21, [-0.5, 0, 0.5, 1.5, 3, 4, 5, 7.5]],
];

describe('scales of any layout', () => {
  it.each(cases)(
    'x %j, scale %j, zero point %j, %j at opset %i',
    async (x, s, z, attributes, opset, want) => {
      const node = n('DequantizeLinear', ['x', 's', 'z'], ['y'], attributes);
      const initializers = { s: rising('float32', s), z: ones(z) };
      const graph = importGraph(model(graphOf([node], initializers, [value('x', 'int8', x)], ['y']), opset));
      const out = await runGraph(graph, { x: rising('int8', x) });
      expect(numbersOf(out.y!)).toEqual(want);
      await checkGradient({
        inputs: [
          { shape: x, type: 'int8', values: numbersOf(rising('int8', x)) },
          { shape: s, range: [0.5, 1] },
        ],
        build: (g, [q, scale]) => g.emit('DequantizeLinear', [q!, scale!, g.constant(ones(z))], attributes),
      });
    },
  );

  it.each(cases.filter(([, , , , opset]) => opset === 21))(
    'QuantizeLinear: x %j, scale %j, zero point %j, %j',
    (x, s, z, attributes, opset) => {
      const nodes = [n('QuantizeLinear', ['x', 's', 'z'], ['y'], attributes)];
      const initializers = { s: rising('float32', s), z: ones(z) };
      const graph = importGraph(
        model(graphOf(nodes, initializers, [value('x', 'float32', x)], ['y']), opset),
      );
      expect(graph.outputs[0]).toMatchObject({ type: 'int8', shape: x });
    },
  );

  it.each([
    [[3], [3], {}, /axis 1 is outside of a tensor of rank 1/],
    [[2, 3], [1, 1], {}, /scales of shape \[1,1\] do not fit/],
    [[2, 3], [2], { axis: 1 }, /scales of shape \[2\] do not fit/],
  ])('refuses what onnxruntime refuses: x %j, scale %j, %j', (x, s, attributes, message) => {
    const nodes = [n('DequantizeLinear', ['x', 's'], ['y'], attributes)];
    const graph = graphOf(nodes, { s: rising('float32', s) }, [value('x', 'int8', x)], ['y']);
    expect(() => importGraph(model(graph, 21))).toThrow(message);
  });
});
