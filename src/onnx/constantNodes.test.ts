/** @file Weights in Constant nodes: what becomes an initializer, and what stays a node. */
import { describe, expect, it } from 'vitest';
import { graphOf, model, n, value } from '#src/ops/testing/models.ts';
import { constantOfNode } from './constantNodes.ts';
import { decodeModel } from './decode.ts';
import { encodeModel } from './encode.ts';
import type { Attribute, DType, Node } from './model.ts';
import { constantOf, numbersOf, tensor, tensorOf } from './tensor.ts';

const constant = (name: string, attributes: Record<string, Attribute>): Node => ({
  op: 'Constant',
  domain: '',
  name: '',
  inputs: [],
  outputs: [name],
  attributes,
});

describe('Constant nodes', () => {
  it.each<[string, Record<string, Attribute>, DType, number[], number[]]>([
    ['value_float', { value_float: { kind: 'float', value: 2 } }, 'float32', [], [2]],
    ['value_floats', { value_floats: { kind: 'floats', value: [1, 2] } }, 'float32', [2], [1, 2]],
    ['value_int', { value_int: { kind: 'int', value: 3 } }, 'int64', [], [3]],
    ['value_ints', { value_ints: { kind: 'ints', value: [3, 4] } }, 'int64', [2], [3, 4]],
    [
      'value',
      { value: { kind: 'tensor', value: constantOf(tensor('int32', [1, 2], [5, 6])) } },
      'int32',
      [1, 2],
      [5, 6],
    ],
  ])('%s is a tensor', (_, attributes, type, shape, numbers) => {
    const found = tensorOf(constantOfNode(constant('c', attributes))!);
    expect([found.type, found.shape, numbersOf(found)]).toEqual([type, shape, numbers]);
  });

  it('hold nothing where they hold text, and other nodes hold nothing', () => {
    expect(constantOfNode(constant('c', { value_string: { kind: 'string', value: 'x' } }))).toBeUndefined();
    expect(constantOfNode(n('Relu', ['x'], ['c']))).toBeUndefined();
  });

  it.each<[DType, number[], boolean]>([
    ['float32', [2, 3], true],
    ['float16', [2], true],
    ['bfloat16', [2], true],
    ['float64', [2], true],
    ['int8', [4], true],
    ['uint8', [4], true],
    ['float32', [], false],
    ['float32', [1], false],
    ['int64', [2], false],
    ['bool', [2], false],
  ])('of %s %j become initializers: %s', (type, shape, stored) => {
    const held = constantOf(tensor(type, shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1)));
    const file = encodeModel(
      model(
        graphOf(
          [constant('w', { value: { kind: 'tensor', value: held } }), n('Identity', ['w'], ['y'])],
          {},
          [value('x', 'float32', [2])],
          ['y'],
        ),
      ),
    );
    const { graph } = decodeModel(file);
    expect(graph.initializers.has('w')).toBe(stored);
    expect(graph.nodes.map(({ op }) => op)).toEqual(stored ? ['Identity'] : ['Constant', 'Identity']);
    if (stored) expect(tensorOf(graph.initializers.get('w')!)).toEqual(tensorOf(held));
  });
});
