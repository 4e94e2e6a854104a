import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { findLayers } from '#src/oft/layers/layers.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { importGraph } from '../import/import.ts';
import { graphOf, model, n, ramp, value } from '../testing/models.ts';
import { runGraph } from '../testing/runGraph.ts';
import { floatForm } from './floatForm.ts';

/** Whole numbers, scales and zero points of a matrix [rows, columns], and what they stand for. */
interface Stored {
  readonly rows: number;
  readonly columns: number;
  readonly type: 'int8' | 'uint8';
  readonly q: readonly number[];
  readonly scales: readonly number[];
  readonly zeros: readonly number[];
}

const stored = fc
  .record({
    rows: fc.integer({ min: 1, max: 7 }),
    columns: fc.integer({ min: 1, max: 7 }),
    type: fc.constantFrom('int8' as const, 'uint8' as const),
    bits: fc.constantFrom(4, 7, 8),
    each: fc.boolean(),
    symmetric: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ rows, columns, type, bits, each, symmetric, seed }): Stored => {
    let state = seed;
    const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    const low = type === 'int8' ? -(2 ** (bits - 1)) : 0;
    const number = (): number => low + next(2 ** bits);
    const lists = each ? columns : 1;
    return {
      rows,
      columns,
      type,
      q: Array.from({ length: rows * columns }, number),
      scales: Array.from({ length: lists }, () => Math.fround((1 + next(1000)) / 4000)),
      zeros: Array.from({ length: lists }, () =>
        symmetric ? (type === 'int8' ? 0 : 2 ** (bits - 1)) : number(),
      ),
    };
  });

const real = ({ q, columns, scales, zeros }: Stored): number[] =>
  q.map((x, i) => {
    const k = scales.length === 1 ? 0 : i % columns;
    return (x - zeros[k]!) * scales[k]!;
  });

/** What exporters write behind a product of whole numbers, and other orders of the same. */
const orders: Readonly<Record<string, () => readonly Node[]>> = {
  'scales first': () => [
    n('Mul', ['xs', 's'], ['both']),
    n('Cast', ['acc'], ['f'], { to: 1 }),
    n('Mul', ['f', 'both'], ['y']),
  ],
  'the weight’s scale in front': () => [
    n('Mul', ['s', 'xs'], ['both']),
    n('Cast', ['acc'], ['f'], { to: 1 }),
    n('Mul', ['both', 'f'], ['y']),
  ],
  'one after another': () => [
    n('Cast', ['acc'], ['f'], { to: 1 }),
    n('Mul', ['f', 'xs'], ['g']),
    n('Mul', ['g', 's'], ['y']),
  ],
  'the data’s last': () => [
    n('Cast', ['acc'], ['f'], { to: 1 }),
    n('Mul', ['s', 'f'], ['g']),
    n('Mul', ['xs', 'g'], ['y']),
  ],
  'another shape before the scales': () => [
    n('Cast', ['acc'], ['f'], { to: 1 }),
    n('Reshape', ['f', 'three'], ['g']),
    n('Mul', ['g', 's'], ['h']),
    n('Mul', ['h', 'xs'], ['i']),
    n('Reshape', ['i', 'two'], ['y']),
  ],
  'a sum read twice': () => [
    n('Cast', ['acc'], ['f'], { to: 1 }),
    n('Mul', ['xs', 's'], ['both']),
    n('Mul', ['f', 'both'], ['g']),
    n('Cast', ['acc'], ['f2'], { to: 1 }),
    n('Sub', ['f2', 'f'], ['none']),
    n('Add', ['g', 'none'], ['y']),
  ],
  'scaled in whole numbers': () => [
    n('Add', ['acc', 'five'], ['more']),
    n('Cast', ['more'], ['f'], { to: 1 }),
    n('Mul', ['xs', 's'], ['both']),
    n('Cast', ['five'], ['fives'], { to: 1 }),
    n('Mul', ['fives', 'both'], ['gone']),
    n('Mul', ['f', 'both'], ['g']),
    n('Sub', ['g', 'gone'], ['y']),
  ],
};

function dynamic(w: Stored, order: string, batch: number) {
  const shape = [batch, w.rows];
  const nodes = [
    n('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
    n('MatMulInteger', ['xq', 'fc.weight_quantized', 'xz', 'z'], ['acc']),
    ...orders[order]!(),
  ];
  const list = w.scales.length === 1 ? [] : [w.columns];
  return model(
    graphOf(
      nodes,
      {
        'fc.weight_quantized': tensor(w.type, [w.rows, w.columns], w.q),
        s: tensor('float32', list, w.scales),
        z: tensor(w.type, list, w.zeros),
        three: tensor('int64', [3], [batch, 1, w.columns]),
        two: tensor('int64', [2], [batch, w.columns]),
        five: tensor('int32', [], [5]),
      },
      [value('x', 'float32', shape)],
      ['y'],
    ),
  );
}

const product = (x: readonly number[], w: readonly number[], batch: number, { rows, columns }: Stored) =>
  Array.from({ length: batch * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let k = 0; k < rows; k++) sum += x[row * rows + k]! * w[k * columns + column]!;
    return sum;
  });

describe('a product of whole numbers is one of the real numbers that they stand for', () => {
  it.each(Object.keys(orders))('%s', async (order) => {
    await fc.assert(
      fc.asyncProperty(stored, fc.integer({ min: 1, max: 3 }), async (w, batch) => {
        const x = Array.from({ length: batch * w.rows }, (_, i) => Math.fround(Math.sin(1 + i) * 3));
        const graph = importGraph(dynamic(w, order, batch));
        const out = await runGraph(graph, { x: tensor('float32', [batch, w.rows], x) });
        const want = product(x, real(w), batch, w);
        // Sums of up to 7 products, and of whole numbers as large as 7·255·3 beside their scale.
        const scale = Math.max(...w.scales) * 255 * 3 * w.rows;
        numbersOf(out['y']!).forEach((y, i) => {
          expect(Math.abs(y - want[i]!)).toBeLessThan(2e-6 * scale);
        });
        const [layer] = findLayers(graph);
        expect(layer).toMatchObject({ path: 'fc', in: w.rows, out: w.columns });
        // The scale is the weight's own where nothing stands between: the layer turns what the file means by its weight.
        if (!/shape|twice|whole/.test(order)) expect(graph.nodes.map((node) => node.op)).not.toContain('Mul');
      }),
      { numRuns: depth(6, 60) },
    );
  });
});

describe('where rounding clips', () => {
  const relu = (zero: number): ReturnType<typeof model> =>
    model(
      graphOf(
        [
          n('QuantizeLinear', ['x', 's', 'z'], ['q']),
          n('Reshape', ['q', 'flat'], ['r']),
          n('DequantizeLinear', ['r', 's', 'z'], ['y']),
        ],
        {
          s: tensor('float32', [], [0.01]),
          z: tensor('uint8', [], [zero]),
          flat: tensor('int64', [1], [4]),
        },
        [value('x', 'float32', [2, 2])],
        ['y'],
      ),
    );

  it('a ReLU that was folded into it stays, and nothing is rounded', async () => {
    const x = tensor('float32', [2, 2], [-1, 0.123, 2.5, 9]);
    const graph = importGraph(relu(0));
    const y = numbersOf((await runGraph(graph, { x }))['y']!);
    [0, 0.123, 2.5, 2.55].forEach((want, i) => expect(y[i]).toBeCloseTo(want, 6));
    expect(graph.nodes.map((node) => node.op)).toEqual(['Clip', 'Reshape', 'Identity']);
  });

  it.each([
    [1 / 256, ['Softmax']],
    [1 / 512, ['Softmax', 'Clip']],
  ])('probabilities in steps of %f: %j', (step, ops) => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('Softmax', ['x'], ['p']),
            n('QuantizeLinear', ['p', 's', 'z'], ['q']),
            n('DequantizeLinear', ['q', 's', 'z'], ['d']),
            n('Relu', ['d'], ['y']),
          ],
          { s: tensor('float32', [], [step]), z: tensor('uint8', [], [0]) },
          [value('x', 'float32', [1, 3])],
          ['y'],
        ),
      ),
    );
    expect(graph.nodes.map((node) => node.op)).toEqual([...ops, 'Relu']);
  });

  it('or what is rounded stays so, as ONNX Runtime has it', async () => {
    const x = tensor('float32', [2, 2], [-1, 0.123, 2.5, 9]);
    const graph = importGraph({ ...relu(10), rounding: 'keep' });
    const y = numbersOf((await runGraph(graph, { x }))['y']!);
    [-0.1, 0.12, 2.45, 2.45].forEach((want, i) => expect(y[i]).toBeCloseTo(want, 6));
  });
});

describe('what cannot be is said in a line', () => {
  const weight = tensor('int8', [2, 2], [1, 2, 3, 4]);
  const scalar = (x: number): Tensor => tensor('float32', [], [x]);
  const rounded = (s: Tensor): ReturnType<typeof model> =>
    model(
      graphOf(
        [n('QuantizeLinear', ['x', 's'], ['q']), n('DequantizeLinear', ['q', 's'], ['y'])],
        { s },
        [value('x', 'float32', [2])],
        ['y'],
      ),
    );

  it.each([
    ['NaN', NaN],
    ['0', 0],
    ['-1', -1],
    ['Infinity', Infinity],
  ])('a scale of activations of %s', (said, s) => {
    expect(() => importGraph(rounded(scalar(s)))).toThrow(
      new RegExp(`^QuantizeLinear .*its scale s holds ${said}.*quantise the model again`),
    );
  });

  it('a scale of weights that is no number', () => {
    const nodes = [
      n('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
      n('DequantizeLinear', ['w', 's'], ['f']),
      n('MatMul', ['x', 'f'], ['y']),
      n('MatMulInteger', ['xq', 'w', 'xz'], ['acc']),
    ];
    const graph = graphOf(nodes, { w: weight, s: scalar(NaN) }, [value('x', 'float32', [1, 2])], ['y']);
    expect(() => importGraph(model(graph))).toThrow(/DequantizeLinear .*its scale s holds NaN/);
  });

  it('an operator without its scales', () => {
    const node = { ...n('QLinearMatMul', ['x', 's'], ['y']) };
    const graph = graphOf([node], { s: scalar(1) }, [value('x', 'uint8', [1, 2])], ['y']);
    expect(() => importGraph(model(graph))).toThrow(/QLinearMatMul .*has 2 inputs, but takes 8/);
  });

  it('an operator that reads rounded numbers as they are', () => {
    const nodes = [
      n('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
      n('BitwiseNot', ['q'], ['b']),
      n('Cast', ['b'], ['y'], { to: 1 }),
    ];
    const graph = graphOf(nodes, {}, [value('x', 'float32', [2])], ['y']);
    expect(() => importGraph(model(graph, 21))).toThrow(/^BitwiseNot .*reads the rounded activations q/);
  });

  it('an output of sums of whole numbers', () => {
    const nodes = [
      n('DynamicQuantizeLinear', ['x'], ['q', 's', 'z']),
      n('MatMulInteger', ['q', 'w', 'z'], ['y']),
    ];
    const graph = graphOf(nodes, { w: weight }, [value('x', 'float32', [1, 2])], ['y']);
    expect(() => importGraph(model(graph))).toThrow(/output y: holds sums of whole numbers \(int32\)/);
  });
});

it('a model that rounds nothing is handed back', () => {
  const plain = model(
    graphOf([n('MatMul', ['x', 'w'], ['y'])], { w: ramp(2, 2) }, [value('x', 'float32', [1, 2])], ['y']),
  );
  expect(floatForm(plain)).toBe(plain);
});
