import { describe, expect, it, test } from 'vitest';
import { attributes } from '#src/graph/attributes.ts';
import type { Attributes, Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { builder, infer, operators } from '../table.ts';
import { checkFold } from '../testing/foldCheck.ts';

const node = (op: string, attrs: Attributes = {}): Node => ({
  op,
  domain: '',
  name: 'n',
  inputs: [],
  outputs: ['y'],
  attributes: attrs,
});
const x = tensor(
  'float32',
  [2, 3, 4],
  Array.from({ length: 24 }, (_, i) => i),
);
const scalar = (type: 'int64' | 'float32', value: number): Tensor => tensor(type, [], [value]);

test.each([
  {},
  { start: 1 },
  { end: -1 },
  { start: -2, end: 3 },
  { start: -9, end: 9 },
  { start: 2, end: 1 },
])('Shape %j', async (attrs) => {
  await checkFold({ op: 'Shape', inputs: [x], attributes: attributes(attrs) });
});

test('Size', () => checkFold({ op: 'Size', inputs: [x] }));

test.each<[Attributes, string, number[], number[]]>([
  [{ value: { kind: 'tensor', value: constantOf(tensor('int32', [2], [3, 4])) } }, 'int32', [2], [3, 4]],
  [{ value_int: { kind: 'int', value: 5 } }, 'int64', [], [5]],
  [{ value_float: { kind: 'float', value: 0.5 } }, 'float32', [], [0.5]],
  [{ value_ints: { kind: 'ints', value: [1, 2] } }, 'int64', [2], [1, 2]],
  [{ value_floats: { kind: 'floats', value: [1, 2] } }, 'float32', [2], [1, 2]],
])('Constant %#', (attrs, type, shape, values) => {
  const constant = node('Constant', attrs);
  const [value] = operators.Constant!.fold!(constant, [])!;
  expect([value!.type, value!.shape, numbersOf(value!)]).toEqual([type, shape, values]);
  expect(
    operators.Constant!.shape({ node: constant, inputs: [], constant: () => undefined, infer })[0],
  ).toMatchObject({
    type,
    shape,
  });
});

it('Constant without a number is refused', () => {
  const text = node('Constant', { value_string: { kind: 'string', value: 'a' } });
  expect(() =>
    operators.Constant!.shape({ node: text, inputs: [], constant: () => undefined, infer }),
  ).toThrow(/no numeric value \(value_string\)/);
});

describe('ConstantOfShape', () => {
  test.each<[Tensor, Attributes]>([
    [tensor('int64', [2], [2, 3]), {}],
    [tensor('int64', [1], [4]), { value: { kind: 'tensor', value: constantOf(tensor('int64', [1], [-1])) } }],
    [tensor('int64', [0], []), { value: { kind: 'tensor', value: constantOf(tensor('bool', [1], [1])) } }],
  ])('%#', async (dims, attrs) => {
    const folded = operators.ConstantOfShape!.fold!(node('ConstantOfShape', attrs), [dims])!;
    const g = builder();
    const y = g.emit('ConstantOfShape', [g.constant(dims)], attrs);
    expect([folded[0]!.type, folded[0]!.shape]).toEqual([y.type, y.shape]);
    expect(y.shape).toEqual(numbersOf(dims));
    const fill = attrs.value?.kind === 'tensor' ? (attrs.value.value.type === 'bool' ? 1 : -1) : 0;
    expect(numbersOf(folded[0]!)).toEqual(Array.from({ length: folded[0]!.data.length }, () => fill));
  });
});

test.each<['int64' | 'float32', number, number, number]>([
  ['int64', 0, 5, 1],
  ['int64', 2, 9, 3],
  ['int64', 5, 0, -2],
  ['int64', 3, 3, 1],
  ['float32', 0, 1, 0.25],
])('Range of %s from %d to %d by %d', async (type, start, limit, delta) => {
  await checkFold({ op: 'Range', inputs: [start, limit, delta].map((v) => scalar(type, v)), data: [] });
});

test('NonZero', async () => {
  const folded = operators.NonZero!.fold!(node('NonZero'), [tensor('float32', [2, 3], [0, 1, 0, 2, 0, 3])])!;
  expect([folded[0]!.shape, numbersOf(folded[0]!)]).toEqual([
    [2, 3],
    [0, 1, 1, 1, 0, 2],
  ]);
  const g = builder();
  expect(() => g.emit('NonZero', [g.input('x', 'float32', [3])])).toThrow(/depends on the input data/);
});

test.each([{}, { k: 1 }, { k: -1, dtype: 7 }])('EyeLike %j', async (attrs) => {
  await checkFold({
    op: 'EyeLike',
    inputs: [
      tensor(
        'float32',
        [3, 4],
        Array.from({ length: 12 }, () => 7),
      ),
    ],
    attributes: attributes(attrs),
  });
});
