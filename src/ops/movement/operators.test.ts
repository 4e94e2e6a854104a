import { describe, expect, it, test } from 'vitest';
import { attributes, type AttributeInput } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { operators } from '../table.ts';
import { checkFold } from '../testing/foldCheck.ts';
import { checkGradient } from '../testing/gradcheck.ts';
import { builder } from '../table.ts';

const counting = (...shape: number[]): Tensor =>
  tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
  );
const ints = (...values: number[]): Tensor => tensor('int64', [values.length], values);
type Attrs = Record<string, AttributeInput>;

/** Same operator, same arguments: folding against onnxruntime, then the gradient. */
const both =
  (op: string, shape: number[], rest: readonly (Tensor | null)[], attrs: Attrs = {}, outputs = 1) =>
  async (): Promise<void> => {
    if (operators[op]!.fold)
      await checkFold({ op, inputs: [counting(...shape), ...rest], attributes: attributes(attrs), outputs });
    await checkGradient({
      build: (g: Builder, [x]: Value[]) =>
        g.emitAll(op, [x!, ...rest.map((t) => t && g.constant(t))], attrs, { outputs }),
      inputs: [{ shape }],
    });
  };

describe('Reshape', () => {
  test.each<[number[], number[], Attrs]>([
    [[2, 3, 4], [6, 4], {}],
    [[2, 3, 4], [0, -1], {}],
    [[2, 3, 4], [-1], {}],
    [[2, 3, 4], [1, 0, 2, -1], {}],
    [[1], [], {}],
    [[2, 3], [3, -1], { allowzero: 1 }],
  ])('%j → %j %j', async (from, to, attrs) => both('Reshape', from, [ints(...to)], attrs)());

  it('may have no elements', async () => {
    await checkFold({
      op: 'Reshape',
      inputs: [counting(0, 4), ints(2, 0)],
      attributes: attributes({ allowzero: 1 }),
    });
  });

  test.each<[number[], number[]]>([
    [
      [2, 3],
      [4, 2],
    ],
    [
      [2, 3],
      [4, -1],
    ],
    [[2], [2, 0]],
  ])('%j cannot become %j', (from, to) => {
    const g = builder();
    expect(() => g.emit('Reshape', [g.input('x', 'float32', from), g.ints(to)])).toThrow(/Reshape/);
  });

  it('needs a shape that does not depend on the data', () => {
    const g = builder();
    expect(() => g.emit('Reshape', [g.input('x', 'float32', [4]), g.input('s', 'int64', [1])])).toThrow(
      /dimensions \(s\) depend on the input data/,
    );
  });
});

describe('Flatten, Squeeze, Unsqueeze', () => {
  test.each([0, 1, 2, 3, -1])('Flatten %i', (axis) => both('Flatten', [2, 3, 4], [], { axis })());
  test('Squeeze all', both('Squeeze', [1, 3, 1], [null]));
  test.each([[[0]], [[2, 0]], [[-1]]])('Squeeze %j', (axes) => both('Squeeze', [1, 3, 1], [ints(...axes)])());
  test.each([[[0]], [[2, 0]], [[-1]], [[1, 4, 2]]])('Unsqueeze %j', (axes) =>
    both('Unsqueeze', [2, 3], [ints(...axes)])(),
  );
});

test.each([[undefined], [[0, 1, 2]], [[1, 2, 0]], [[2, 0, 1]]])('Transpose %j', (perm) =>
  both('Transpose', [2, 3, 4], [], perm ? { perm } : {})(),
);

test.each<[number[], number[]]>([
  [
    [3, 1],
    [3, 4],
  ],
  [
    [3, 1],
    [2, 1, 6],
  ],
  [[3, 4], [1]],
  [
    [3, 4],
    [1, 1],
  ],
  [[1], [2, 3]],
  [[], [2]],
])('Expand %j to %j', (shape, to) => both('Expand', shape, [ints(...to)])());

test.each<[number[], number[]]>([
  [
    [2, 3],
    [2, 2],
  ],
  [
    [2, 3],
    [1, 3],
  ],
  [
    [2, 1, 3],
    [1, 4, 1],
  ],
  [[4], [3]],
])('Tile %j by %j', (shape, repeats) => both('Tile', shape, [ints(...repeats)])());

describe('Concat', () => {
  test.each([0, 1, -1])('along %i', async (axis) => {
    const build = (g: Builder, values: Value[]): Value => g.emit('Concat', values, { axis });
    const at = axis < 0 ? axis + 3 : axis;
    const shapes = [1, 3, 2].map((d) => [2, 2, 2].map((x, i) => (i === at ? d : x)));
    await checkGradient({ build, inputs: shapes.map((shape) => ({ shape })) });
    const one = await checkGradient({
      build,
      inputs: shapes.map((shape) => ({ shape })),
      wants: [false, true, false],
    });
    expect(one.emitted.map((n) => n.op)).toEqual(['Slice']);
    await checkFold({
      op: 'Concat',
      inputs: shapes.map((s) => counting(...s)),
      attributes: attributes({ axis }),
      data: [0, 1, 2],
    });
  });

  it('of one value twice adds both gradients', async () => {
    await checkGradient({
      build: (g, [x]) => g.emit('Concat', [x!, x!], { axis: 0 }),
      inputs: [{ shape: [2, 3] }],
    });
  });

  it('refuses parts that do not fit', () => {
    const g = builder();
    const parts = [g.input('a', 'float32', [2, 3]), g.input('b', 'float32', [3, 3])];
    expect(() => g.concat(parts, 1)).toThrow(/\[2,3\], \[3,3\] cannot be joined along axis 1/);
  });
});

describe('Split', () => {
  test('by sizes', both('Split', [2, 6], [ints(1, 2, 3)], { axis: 1 }, 3));
  test('into equal parts', both('Split', [6, 2], [], { axis: 0, num_outputs: 3 }, 3));
  test('with a smaller last part', both('Split', [7, 2], [], { axis: 0, num_outputs: 3 }, 3));
  test('of which one part is used', async () => {
    await checkGradient({
      build: (g, [x]) => g.split(x!, 1, [1, 2, 3])[1]!,
      inputs: [{ shape: [2, 6] }],
    });
  });
  it('refuses sizes that do not add up', () => {
    const g = builder();
    expect(() => g.split(g.input('x', 'float32', [5]), 0, [2, 2])).toThrow(/5 elements cannot be split/);
  });
});

describe('Slice', () => {
  const END = 2 ** 63;
  test.each<[number[], number[], number[], number[] | null, number[] | null]>([
    [[5, 4], [1], [4], null, null],
    [[5, 4], [0, 1], [5, 3], [0, 1], null],
    [[5, 4], [-3], [END], [1], null],
    [[5, 4], [1], [-1], [0], [1]],
    [[7], [0], [7], [0], [2]],
    [[7], [1], [7], [0], [2]],
    [[7], [1], [6], [0], [3]],
    [[8, 3], [1], [8], [0], [5]],
    [[8], [3], [4], [0], [4]],
    [[7], [-1], [-END], [0], [-1]],
    [[7], [5], [0], [0], [-2]],
    [
      [6, 7],
      [-1, 4],
      [-END, 1],
      [0, 1],
      [-2, -1],
    ],
    [
      [4, 4, 4],
      [1, 0],
      [3, 4],
      [2, 0],
      [1, 3],
    ],
    [[5, 4], [-100], [100], [0], [1]],
  ])('%j from %j to %j on %j by %j', (shape, starts, ends, axes, steps) =>
    both('Slice', shape, [ints(...starts), ints(...ends), axes && ints(...axes), steps && ints(...steps)])(),
  );

  it('may take nothing', async () => {
    await checkFold({ op: 'Slice', inputs: [counting(4), ints(3), ints(1)] });
  });
});

describe('Pad', () => {
  const pads = (values: number[], axes?: number[]): (Tensor | null)[] =>
    axes ? [ints(...values), null, ints(...axes)] : [ints(...values)];
  test.each(['constant', 'reflect', 'edge', 'wrap'])('%s on both axes', (mode) =>
    both('Pad', [3, 4], pads([1, 2, 2, 1]), { mode })(),
  );
  test.each(['constant', 'reflect', 'edge', 'wrap'])('%s on one axis of three, as far as it goes', (mode) =>
    both('Pad', [2, 3, 2], pads([2, 2], [1]), { mode })(),
  );
  test('with negative pads', both('Pad', [4, 5], pads([-1, 2, 1, -3])));
  test('passes a gradient to the padding value', async () => {
    await checkGradient({
      build: (g, [x, v]) => g.emit('Pad', [x!, g.ints([1, 0, 0, 2]), v!]),
      inputs: [{ shape: [2, 3] }, { shape: [] }],
    });
    await checkGradient({
      build: (g, [x, v]) => g.emit('Pad', [x!, g.ints([1, 0, 0, 2]), v!]),
      inputs: [{ shape: [2, 3] }, { shape: [] }],
      wants: [false, true],
    });
  });
  it('refuses a reflection longer than the axis', () => {
    const g = builder();
    const x = g.input('x', 'float32', [3]);
    expect(() => g.emit('Pad', [x, g.ints([3, 0])], { mode: 'reflect' })).toThrow(
      /do not fit axis 0 of length 3/,
    );
  });
});

describe('Cast', () => {
  const cast = (to: number) => attributes({ to });
  test.each<[string, Tensor, number]>([
    ['float to int64', tensor('float32', [4], [1.9, -1.9, 0, 3]), 7],
    ['float to int32', tensor('float32', [4], [1.9, -1.9, 0, 3]), 6],
    ['float to bool', tensor('float32', [3], [0, -0.5, 2]), 9],
    ['int64 to float', tensor('int64', [2], [3, -4]), 1],
    ['int64 to bool', tensor('int64', [2], [3, 0]), 9],
    ['bool to float', tensor('bool', [2], [1, 0]), 1],
    ['bool to int64', tensor('bool', [2], [1, 0]), 7],
    ['int64 to int32', tensor('int64', [2], [3, -4]), 6],
  ])('%s', async (_, x, to) => {
    await checkFold({ op: 'Cast', inputs: [x], attributes: cast(to) });
  });

  it('folds halves by value', () => {
    const half = operators.Cast!.fold!(
      { op: 'Cast', domain: '', name: '', inputs: [], outputs: [], attributes: cast(10) },
      [tensor('float32', [2], [1, -0.1])],
    )![0]!;
    expect(Array.from(half.data as Uint16Array)).toEqual([0x3c00, 0xae66]);
  });

  it('passes gradients between floats, and none to integers', async () => {
    await checkGradient({
      build: (g, [x]) => g.cast(g.mul(g.cast(x!, 'float32'), g.cast(x!, 'float32')), x!.type),
      inputs: [{ shape: [3] }],
      tolerance: 1e-3,
      step: 1e-2,
    });
    const { gradients } = await checkGradient({
      build: (g, [x]) => g.cast(g.cast(x!, 'int32'), x!.type),
      inputs: [{ shape: [2], values: [1.5, 2.5] }],
    });
    expect(gradients).toEqual([null]);
  });
});

test('Identity and Dropout pass on their input', async () => {
  await checkGradient({
    build: (g, [x]) => g.emitAll('Dropout', [g.emit('Identity', [x!])], {}, { outputs: 1 }),
    inputs: [{ shape: [3] }],
  });
});
