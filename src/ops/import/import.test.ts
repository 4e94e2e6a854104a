import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { GraphError } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Attributes, Constant, Model, Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, tensor, tensorOf } from '#src/onnx/tensor.ts';
import { importGraph } from './import.ts';
import { graphOf, ints, model, n, ramp, scalar, value } from '../testing/models.ts';
import { runGraph } from '../testing/runGraph.ts';

const ops = (g: { nodes: readonly Node[] }): string[] => g.nodes.map((node) => node.op);
const x = [value('x', 'float32', ['batch', 4])];

it('takes axes of a Transpose that count from the end', () => {
  const move = n('Transpose', ['x'], ['y'], { perm: [0, -1, 1, 2] });
  const graph = importGraph(model(graphOf([move], {}, [value('x', 'float32', [2, 3, 4, 5])], ['y'])));
  expect(graph.outputs[0]!.shape).toEqual([2, 5, 3, 4]);
  expect(graph.nodes[0]!.attributes.perm).toEqual({ kind: 'ints', value: [0, 3, 1, 2] });
});

describe('folding', () => {
  it('computes shapes and leaves the computation', () => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('Shape', ['x'], ['s']),
            n('Gather', ['s', 'zero'], ['b'], { axis: 0 }),
            n('Unsqueeze', ['b', 'axis'], ['b1']),
            n('Concat', ['b1', 'rest'], ['target'], { axis: 0 }),
            n('Reshape', ['x', 'target'], ['y']),
          ],
          { zero: scalar(0, 'int64'), axis: ints(0), rest: ints(2, 2) },
          x,
          ['y'],
        ),
      ),
      { batch: 3 },
    );
    expect(ops(graph)).toEqual(['Reshape']);
    expect(graph.outputs[0]).toMatchObject({ name: 'y', shape: [3, 2, 2] });
    expect(numbersOf(tensorOf(graph.constants.get(graph.nodes[0]!.inputs[1]!)!))).toEqual([3, 2, 2]);
  });

  it('keeps weights under their names, with the nodes before their use', () => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('Transpose', ['w'], ['wt']),
            n('Cast', ['wt'], ['wc'], { to: 1 }),
            n('MatMul', ['x', 'wc'], ['h']),
            n('Constant', [], ['bias'], { value: { kind: 'tensor', value: constantOf(ramp(2)) } }),
            n('Unsqueeze', ['bias', 'axis'], ['b1']),
            n('Add', ['h', 'b1'], ['y']),
          ],
          { w: tensor('float16', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), axis: ints(0) },
          x,
          ['y'],
        ),
      ),
      { batch: 3 },
    );
    // Stored in half precision, computed in single: the Cast has nothing left to do.
    expect(ops(graph).sort()).toEqual(['Add', 'MatMul', 'Transpose', 'Unsqueeze']);
    expect(numbersOf(tensorOf(graph.constants.get('w')!))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(graph.constants.get('w')!.type).toBe('float32');
    expect(graph.constants.has('bias')).toBe(true);
  });

  it('computes tables of sines from weights, and leaves other uses', () => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('Range', ['zero', 'four', 'one'], ['i']),
            n('Cast', ['i'], ['p'], { to: 1 }),
            n('Mul', ['p', 'frequency'], ['angle']),
            n('Cos', ['angle'], ['table']),
            n('Mul', ['x', 'table'], ['h']),
            n('Mul', ['h', 'frequency'], ['y']),
          ],
          {
            zero: scalar(0, 'int64'),
            four: scalar(4, 'int64'),
            one: scalar(1, 'int64'),
            frequency: tensor('float32', [4], [1, 2, 3, 4]),
          },
          x,
          ['y'],
        ),
      ),
      { batch: 2 },
    );
    expect(ops(graph)).toEqual(['Mul', 'Mul']);
    const table = numbersOf(tensorOf(graph.constants.get(graph.nodes[0]!.inputs[1]!)!));
    table.forEach((v, i) => expect(v).toBeCloseTo(Math.cos(i * (i + 1)), 6));
  });

  it('drops what does nothing: Identity, Dropout, x + 0, x · 1, reshapes to the same shape, whole slices', () => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('Shape', ['x'], ['s']),
            n('Identity', ['x'], ['a']),
            n('Dropout', ['a'], ['b', 'mask']),
            n('Reshape', ['b', 's'], ['c']),
            n('ConstantOfShape', ['s'], ['zeros']),
            n('Mul', ['zeros', 'alpha'], ['none']),
            n('Add', ['none', 'c'], ['d']),
            n('Div', ['d', 'one'], ['e']),
            n('Slice', ['e', 'start', 'end'], ['f']),
            n('Relu', ['f'], ['y']),
          ],
          { alpha: scalar(0.5), one: scalar(1), start: ints(0), end: ints(2 ** 63) },
          x,
          ['y'],
        ),
      ),
      { batch: 100_000 },
    );
    expect(ops(graph)).toEqual(['Relu']);
    expect(graph.nodes[0]!.inputs).toEqual(['x']);
    expect(graph.constants.size).toBe(0);
  });

  it('does not take a bias of zeros, a scale of ones or a flip for nothing', () => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('Add', ['x', 'bias'], ['a']),
            n('Mul', ['a', 'scale'], ['b']),
            n('Slice', ['b', 'start', 'end', 'axes', 'steps'], ['c']),
            n('Add', ['c', 'two'], ['y']),
          ],
          {
            bias: tensor('float32', [4], [0, 0, 0, 0]),
            scale: tensor('float32', [1], [1]),
            start: ints(-1),
            end: ints(-(2 ** 63)),
            axes: ints(1),
            steps: ints(-1),
            two: scalar(2),
          },
          x,
          ['y'],
        ),
      ),
      { batch: 2 },
    );
    expect(ops(graph)).toEqual(['Add', 'Mul', 'Slice', 'Add']);
  });

  it('keeps names of outputs, also of inputs passed through and of constants', async () => {
    const graph = importGraph(
      model(graphOf([n('Identity', ['x'], ['y']), n('Shape', ['x'], ['s'])], {}, x, ['y', 's'])),
      { batch: 2 },
    );
    expect(graph.outputs.map((v) => [v.name, v.type, v.shape])).toEqual([
      ['y', 'float32', [2, 4]],
      ['s', 'int64', [2]],
    ]);
    const out = await runGraph(graph, { x: ramp(2, 4) });
    expect(numbersOf(out.s!)).toEqual([2, 4]);
  });

  it('does not confuse names in the file with generated ones', () => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('Squeeze', ['x'], ['ints_0'], { axes: [1] }),
            n('Squeeze', ['ints_0'], ['ints_1'], { axes: [1] }),
            n('Relu', ['ints_1'], ['y']),
          ],
          {},
          [value('x', 'float32', [3, 1, 1])],
          ['y'],
        ),
        11,
      ),
    );
    expect(ops(graph)).toEqual(['Squeeze', 'Squeeze', 'Relu']);
    expect(graph.outputs[0]!.shape).toEqual([3]);
  });
});

describe('branches and sequences', () => {
  const branch = (op: string, result: string): Attributes[string] => ({
    kind: 'graph',
    value: graphOf([n(op, ['h', 'w'], [result])], { w: ramp(4) }, [], [result]),
  });
  const choosing = (condition: Node[]): Model =>
    model(
      graphOf(
        [
          ...condition,
          n('Relu', ['x'], ['h']),
          n('If', ['c'], ['y'], { then_branch: branch('Add', 'r'), else_branch: branch('Mul', 'r') }),
        ],
        { two: scalar(2, 'int64') },
        x,
        ['y'],
      ),
    );

  test.each([
    [2, 'Add'],
    [3, 'Mul'],
  ])('If over a shape: batch %i takes %s', (batch, op) => {
    const size = [n('Size', ['x'], ['n']), n('Div', ['n', 'four'], ['b']), n('Equal', ['b', 'two'], ['c'])];
    const m = choosing(size);
    (m.graph.initializers as Map<string, Constant>).set('four', constantOf(scalar(4, 'int64')));
    const graph = importGraph(m, { batch });
    expect(ops(graph)).toEqual(['Relu', op, 'Identity'].slice(0, ops(graph).length));
    expect(graph.constants.size).toBe(1);
    expect(graph.outputs[0]!.name).toBe('y');
  });

  it('If over the data is refused', () => {
    const test = [n('ReduceSum', ['x'], ['t'], { keepdims: 0 }), n('Cast', ['t'], ['c'], { to: 9 })];
    expect(() => importGraph(choosing(test), { batch: 2 })).toThrow(
      /If If\/y: its condition depends on the input data/,
    );
  });

  it('SplitToSequence and SequenceAt become Split', async () => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('SplitToSequence', ['x', 'two'], ['q'], { axis: 1 }),
            n('SequenceAt', ['q', 'one'], ['a']),
            n('SequenceAt', ['q', 'zero'], ['b']),
            n('SplitToSequence', ['a'], ['u'], { axis: 1, keepdims: 0 }),
            n('SequenceAt', ['u', 'last'], ['v']),
            n('SequenceConstruct', ['v', 'v'], ['w']),
            n('ConcatFromSequence', ['w'], ['t'], { axis: 1, new_axis: 1 }),
            n('Sub', ['b', 't'], ['y']),
          ],
          {
            two: scalar(2, 'int64'),
            one: scalar(1, 'int64'),
            zero: scalar(0, 'int64'),
            last: scalar(-1, 'int64'),
          },
          x,
          ['y'],
        ),
      ),
      { batch: 1 },
    );
    const out = await runGraph(graph, { x: tensor('float32', [1, 4], [1, 2, 3, 5]) });
    expect(numbersOf(out.y!)).toEqual([1 - 5, 2 - 5]);
  });
});

describe('older opsets', () => {
  it('11: axes, splits and sizes as attributes', async () => {
    const graph = importGraph(
      model(
        graphOf(
          [
            n('Unsqueeze', ['x'], ['a'], { axes: [0, 3] }),
            n('Split', ['a'], ['b', 'c'], { axis: 2, split: [1, 3] }),
            n('Squeeze', ['c'], ['d'], { axes: [0, 3] }),
            n('ReduceSum', ['d'], ['y'], { axes: [1], keepdims: 0 }),
          ],
          {},
          x,
          ['y'],
        ),
        11,
      ),
      { batch: 2 },
    );
    const out = await runGraph(graph, { x: tensor('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) });
    expect(numbersOf(out.y!)).toEqual([9, 21]);
  });

  it('13: equal splits without sizes', async () => {
    const nodes = [n('Split', ['x'], ['a', 'b'], { axis: 1 }), n('Sub', ['a', 'b'], ['y'])];
    const graph = importGraph(model(graphOf(nodes, {}, x, ['y']), 13), { batch: 1 });
    const out = await runGraph(graph, { x: tensor('float32', [1, 4], [1, 2, 5, 9]) });
    expect(numbersOf(out.y!)).toEqual([-4, -7]);
  });

  test.each([1, 6, 27])('%i is refused', (opset) => {
    const nodes = [n('Relu', ['x'], ['y'])];
    expect(() => importGraph(model(graphOf(nodes, {}, x, ['y']), opset), { batch: 1 })).toThrow(
      /opset \d+; 7 to 26 are supported/,
    );
  });
});

it('gives the pads of every axis, as onnxruntime needs them behind a Transpose', async () => {
  const graph = importGraph(
    model(
      graphOf(
        [
          n('Transpose', ['x'], ['t'], { perm: [1, 0] }),
          n('Pad', ['t', 'pads', '', 'axes'], ['p']),
          n('Transpose', ['p'], ['y'], { perm: [1, 0] }),
        ],
        { pads: ints(1, 2), axes: ints(-1) },
        x,
        ['y'],
      ),
      19,
    ),
    { batch: 2 },
  );
  expect(graph.nodes[1]!.inputs).toHaveLength(3);
  const out = await runGraph(graph, { x: tensor('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) });
  expect(out.y!.shape).toEqual([5, 4]);
  expect(numbersOf(out.y!).slice(0, 8)).toEqual([0, 0, 0, 0, 1, 2, 3, 4]);
});

it('gives nodes of the file distinct names, and made-up nodes others', async () => {
  const nodes = [
    { ...n('Relu', ['x'], ['a']), name: 'MatMul_0' },
    { ...n('FusedMatMul', ['a', 'w'], ['b'], { transA: 1 }), name: 'MatMul_0', domain: 'com.microsoft' },
    { ...n('Neg', ['b'], ['y']), name: 'Transpose_0' },
  ];
  const graph = importGraph(model(graphOf(nodes, { w: ramp(2, 3) }, x, ['y'])), { batch: 2 });
  const names = graph.nodes.map((node) => node.name);
  expect(names).toHaveLength(4);
  expect(new Set(names).size).toBe(4);
  expect(names).toContain('MatMul_0/1');
});

describe('files that cannot be used', () => {
  const bad = (name: string): Model => decodeModel(readFileSync(`e2e/golden/bad/${name}.onnx`));
  it('are refused with the node and the reason', () => {
    expect(() => importGraph(bad('custom-op'), { batch: 2 })).toThrow(/com.example.audio::GatedSnake/);
    expect(() => importGraph(bad('mismatched-shape'), { batch: 2 })).toThrow(
      /MatMul \/fc2\/MatMul: .*\[10,4\]/,
    );
    expect(() => importGraph(bad('undefined-input'), { batch: 2 })).toThrow(/\/fc2\/MatMul reads "nowhere"/);
    expect(() => importGraph(bad('custom-op'))).toThrow(GraphError);
    expect(() => importGraph(bad('custom-op'))).toThrow(/a dimension without a size: batch \(of x\)/);
  });

  it('may hold unknown operators where no output needs them', () => {
    const nodes = [n('Relu', ['x'], ['y']), n('Frobnicate', ['x'], ['z'])];
    expect(ops(importGraph(model(graphOf(nodes, {}, x, ['y'])), { batch: 1 }))).toEqual(['Relu']);
  });
});
