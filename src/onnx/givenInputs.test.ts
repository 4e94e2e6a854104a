import { describe, expect, it } from 'vitest';
import { importGraph } from '#src/ops/import/import.ts';
import { graphOf, model, n, ramp, value } from '#src/ops/testing/models.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import type { Dim, DType } from './model.ts';
import { giveInputs, type InputValues } from './givenInputs.ts';
import { numbersOf, tensor } from './tensor.ts';

/** y = x · s: s is to be a constant. */
const scaled = (type: DType, shape: readonly Dim[] | null) =>
  model(
    graphOf(
      [n('Cast', ['s'], ['f'], { to: 1 }), n('Mul', ['x', 'f'], ['y'])],
      {},
      [value('x', 'float32', ['batch', 2]), value('s', type, shape)],
      ['y'],
    ),
  );
const x = tensor('float32', [3, 2], [1, 2, 3, 4, 5, 6]);

describe('inputs with a value', () => {
  it.each<[DType, readonly Dim[] | null, InputValues[string], number[]]>([
    ['int64', [], 3, [3, 6, 9, 12, 15, 18]],
    ['int32', [1], 2, [2, 4, 6, 8, 10, 12]],
    ['float32', null, 0.5, [0.5, 1, 1.5, 2, 2.5, 3]],
    ['bool', [], 1, [1, 2, 3, 4, 5, 6]],
    ['bool', [1, 1], 0, [0, 0, 0, 0, 0, 0]],
    ['float32', ['batch', 2], 2, [2, 4, 6, 8, 10, 12]],
    ['float32', ['batch', 1], [1, 2, 3], [1, 2, 6, 8, 15, 18]],
    ['float32', [null], [1, 10], [1, 20, 3, 40, 5, 60]],
    ['float32', [null], 4, [4, 8, 12, 16, 20, 24]],
    ['uint8', [2], [1, 0], [1, 0, 3, 0, 5, 0]],
    ['float16', [], 2, [2, 4, 6, 8, 10, 12]],
  ])('%s %j = %j', async (type, shape, given, want) => {
    const m = giveInputs(scaled(type, shape), { s: given, other: 1 });
    expect(m.graph.inputs.map((v) => v.name)).toEqual(['x']);
    const graph = importGraph(m, { batch: 3 });
    expect(graph.inputs.map((v) => v.name)).toEqual(['x']);
    expect(numbersOf((await runGraph(graph, { x })).y!)).toEqual(want);
  });

  it('settle branches and shapes, as constants do', () => {
    const branch = (op: string) => ({
      kind: 'graph' as const,
      value: graphOf([n(op, ['x'], ['r'])], {}, [], ['r']),
    });
    const nodes = [n('If', ['training'], ['y'], { then_branch: branch('Neg'), else_branch: branch('Exp') })];
    const inputs = [value('x', 'float32', [2]), value('training', 'bool', [])];
    const m = model(graphOf(nodes, {}, inputs, ['y']));
    expect(() => importGraph(m)).toThrow(
      /condition depends on the input data.*value for training|condition depends/,
    );
    expect(importGraph(giveInputs(m, { training: 0 })).nodes.map((v) => v.op)).toContain('Exp');
    expect(importGraph(giveInputs(m, { training: 1 })).nodes.map((v) => v.op)).toContain('Neg');
    const sized = model(
      graphOf([n('Reshape', ['w', 'size'], ['y'])], { w: ramp(6) }, [value('size', 'int64', [2])], ['y']),
    );
    expect(importGraph(giveInputs(sized, { size: [3, 2] })).outputs[0]!.shape).toEqual([3, 2]);
  });

  it.each<[DType, readonly Dim[], InputValues[string], RegExp]>([
    ['bool', [], 2, /s is bool, which cannot be 2\. Give it true or false/],
    ['int64', [], 0.5, /s is int64, which cannot be 0\.5\. Give it a whole number/],
    ['uint8', [], -1, /s is uint8, which cannot be -1/],
    ['float32', [3], [1, 2], /s \[3\] takes 3 numbers, but was given 2/],
  ])('that it cannot have: %s %j = %j', (type, shape, given, message) => {
    expect(() => importGraph(giveInputs(scaled(type, shape), { s: given }), { batch: 3 })).toThrow(message);
  });
});
