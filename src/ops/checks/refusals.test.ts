import { describe, expect, it, test } from 'vitest';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '../import/import.ts';
import { graphOf, model, n, ramp, scalar, value } from '../testing/models.ts';
import { runGraph } from '../testing/runGraph.ts';

const x = [value('x', 'float32', [2, 3])];

describe('known, but not taken', () => {
  test.each([
    ['LSTM', ['x', 'w', 'w'], /LSTM LSTM\/y: recurrent layers are not supported.*without recurrence/],
    ['GRU', ['x', 'w', 'w'], /GRU GRU\/y: recurrent layers/],
    ['RandomNormalLike', ['x'], /evaluation mode/],
    ['NonMaxSuppression', ['x', 'x'], /depends on the input data/],
    ['SoftmaxCrossEntropyLoss', ['x', 'x'], /holds its own loss/],
    ['ImageDecoder', ['x'], /from its pixels/],
  ])('%s', (op, inputs, why) => {
    const graph = graphOf([n(op, inputs, ['y'])], { w: ramp(3) }, x, ['y']);
    expect(() => importGraph(model(graph))).toThrow(why);
  });

  it('Loop and Scan, with their bodies', () => {
    const body = { kind: 'graph', value: graphOf([], {}, [], []) } as const;
    const graph = graphOf([n('Scan', ['x'], ['y'], { body })], {}, x, ['y']);
    expect(() => importGraph(model(graph))).toThrow(/Scan Scan\/y: loops are not supported/);
    const once = { i: scalar(1, 'int64'), c: scalar(1, 'bool') };
    const loop = graphOf([n('Loop', ['i', 'c', 'x'], ['y'], { body })], once, x, ['y']);
    expect(() => importGraph(model(loop))).toThrow(/Loop Loop\/y: loops are not supported/);
  });

  it('not where nothing needs it', () => {
    const nodes = [n('RandomNormalLike', ['x'], ['unused']), n('Relu', ['x'], ['y'])];
    expect(importGraph(model(graphOf(nodes, {}, x, ['y']))).nodes.map((node) => node.op)).toEqual(['Relu']);
  });
});

it('sequences grow and shrink by constants', async () => {
  const nodes = [
    n('SequenceEmpty', [], ['s0']),
    n('SequenceInsert', ['s0', 'x'], ['s1']),
    n('Neg', ['x'], ['a']),
    n('Exp', ['x'], ['b']),
    n('SequenceInsert', ['s1', 'a', 'zero'], ['s2']),
    n('SequenceInsert', ['s2', 'b'], ['s3']),
    n('SequenceErase', ['s3', 'last'], ['s4']),
    n('SequenceLength', ['s4'], ['count']),
    n('Cast', ['count'], ['length'], { to: 1 }),
    n('ConcatFromSequence', ['s4'], ['t'], { axis: 0 }),
    n('Mul', ['t', 'length'], ['y']),
  ];
  const constants = { zero: scalar(0, 'int64'), last: scalar(-1, 'int64') };
  const graph = importGraph(model(graphOf(nodes, constants, x, ['y'])));
  const out = await runGraph(graph, { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) });
  expect(numbersOf(out.y!)).toEqual([-2, -4, -6, -8, -10, -12, 2, 4, 6, 8, 10, 12]);
  const beyond = [n('SequenceErase', ['q', 'four'], ['r']), n('SequenceAt', ['r', 'zero'], ['y'])];
  const bad = graphOf(
    [n('SequenceConstruct', ['x', 'x'], ['q']), ...beyond],
    { ...constants, four: scalar(4, 'int64') },
    x,
    ['y'],
  );
  expect(() => importGraph(model(bad))).toThrow(/position 4 is out of range for 2 items/);
});

test('Scaler before a network', async () => {
  const node = {
    ...n('Scaler', ['x'], ['y'], {
      offset: { kind: 'floats', value: [1, 2, 3] },
      scale: { kind: 'floats', value: [2] },
    }),
    domain: 'ai.onnx.ml',
  };
  const graph = importGraph(model(graphOf([node], {}, x, ['y'])));
  const out = await runGraph(graph, { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) });
  expect(numbersOf(out.y!)).toEqual([0, 0, 0, 6, 6, 6]);
});

test('labels looked up behind a classifier', async () => {
  const labels = { ...n('ArrayFeatureExtractor', ['classes', 'best'], ['y']), domain: 'ai.onnx.ml' };
  const graph = graphOf(
    [n('ArgMax', ['x'], ['best'], { axis: 1 }), labels],
    { classes: tensor('int32', [3], [10, 20, 30]) },
    x,
    ['y'],
  );
  const out = await runGraph(importGraph(model(graph)), { x: tensor('float32', [2, 3], [1, 5, 2, 0, 1, 9]) });
  expect(out.y!.shape).toEqual([1, 2]);
  expect(numbersOf(out.y!)).toEqual([20, 30]);
  const zipped = { ...n('ZipMap', ['x'], ['y']), domain: 'ai.onnx.ml' };
  expect(() => importGraph(model(graphOf([zipped], {}, x, ['y'])))).toThrow(/"zipmap": False/);
});
