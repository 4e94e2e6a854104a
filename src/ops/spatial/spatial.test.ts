import { describe, expect, test } from 'vitest';
import { type AttributeInput, float } from '#src/graph/attributes.ts';
import { numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { builder } from '../table.ts';
import { apply, checkForms } from '../testing/apply.ts';
import { checkGradient } from '../testing/gradcheck.ts';
import { uniform } from '../testing/random.ts';

type Attrs = Record<string, AttributeInput | undefined>;

const noise = (shape: number[], scale = 1, seed = 5): Tensor => {
  const random = uniform(seed);
  return tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, () => scale * (2 * random() - 1)),
  );
};
const ints = (...values: number[]): Tensor => tensor('int64', [values.length], values);

/** The gradient, and the numbers of onnxruntime's own kernel. */
async function check(op: string, attrs: Attrs, shapes: number[][], constants: Tensor[] = []): Promise<void> {
  await checkGradient({
    build: (g, v) => apply(g, op, [...v, ...constants.map((t) => g.constant(t))], attrs),
    inputs: shapes.map((shape) => ({ shape })),
  });
  await checkForms({
    op,
    attrs,
    inputs: [...shapes.map((shape, i) => noise(shape, 1, i + 1)), ...constants],
    data: shapes.map((_, i) => i),
  });
}

test.each(['DCR', 'CRD'])('DepthToSpace %s', (mode) =>
  check('DepthToSpace', { blocksize: 2, mode }, [[2, 12, 2, 3]]),
);
test('SpaceToDepth', () => check('SpaceToDepth', { blocksize: 3 }, [[2, 2, 3, 6]]));
test('blocks that do not divide are named', () => {
  const g = builder();
  const x = g.input('x', 'float32', [1, 6, 4, 4]);
  expect(() => g.emit('DepthToSpace', [x], { blocksize: 2 })).toThrow(
    /6 channels do not divide into blocks of 2/,
  );
});

test.each<[string, Attrs, number[], Tensor, Tensor]>([
  ['side by side', { strides: [2, 2] }, [1, 8, 4], ints(4, 4), ints(2, 2)],
  ['overlapping', {}, [2, 12, 6], ints(4, 3), ints(2, 2)],
  ['padded and strided', { pads: [1, 0, 1, 1], strides: [2, 1] }, [1, 9, 9], ints(5, 4), ints(3, 3)],
  ['dilated', { dilations: [2, 1] }, [1, 6, 3], ints(5, 4), ints(3, 2)],
  ['1-D', { strides: [2] }, [2, 6, 3], ints(7), ints(3)],
])('Col2Im %s', (_, attrs, shape, size, block) => check('Col2Im', attrs, [shape], [size, block]));

describe('LpPool', () => {
  test.each<[string, Attrs, number[]]>([
    ['2×2', { kernel_shape: [2, 2], strides: [2, 2] }, [2, 2, 4, 6]],
    ['p = 1', { kernel_shape: [3, 2], p: 1 }, [1, 2, 5, 6]],
    ['p = 3, padded', { kernel_shape: [3, 3], p: 3, pads: [1, 1, 1, 1], strides: [2, 2] }, [1, 2, 5, 6]],
    ['SAME_UPPER', { kernel_shape: [3, 3], auto_pad: 'SAME_UPPER', strides: [2, 2] }, [1, 2, 6, 5]],
    ['ceil', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }, [1, 2, 6, 8]],
    ['dilated', { kernel_shape: [2, 3], dilations: [2, 1] }, [1, 2, 6, 5]],
    ['1-D', { kernel_shape: [3], strides: [2] }, [2, 2, 7]],
  ])('%s', (_, attrs, shape) => check('LpPool', attrs, [shape]));
  test.each([1, 2, 3])('global, p = %i', (p) => check('GlobalLpPool', { p }, [[2, 3, 3, 2]]));
});

describe('GridSample', () => {
  const sweep = ['linear', 'nearest', 'cubic'].flatMap((mode) =>
    ['zeros', 'border', 'reflection'].flatMap((padding_mode) =>
      [0, 1].map((align_corners) => ({ mode, padding_mode, align_corners })),
    ),
  );
  // Positions from well outside to well inside, none within a difference's step of a seam between pixels.
  const places = [-1.83, -1.31, -1.09, -0.77, -0.46, -0.07, 0.13, 0.34, 0.58, 0.88, 1.13, 1.57];
  const grid = places.flatMap((x, i) => [x, places[(i * 7 + 3) % 12]!]);
  test.each(sweep)('%j', async (attrs) => {
    await checkForms({
      op: 'GridSample',
      attrs,
      inputs: [noise([2, 3, 4, 5]), tensor('float32', [2, 3, 2, 2], grid)],
    });
    await checkGradient({
      build: (g, v) => apply(g, 'GridSample', v, attrs),
      inputs: [{ shape: [2, 3, 4, 5] }, { shape: [2, 3, 2, 2], values: grid }],
    });
  });
  test.each(['linear', 'nearest'])('of volumes, %s', async (mode) => {
    const attrs = { mode, padding_mode: 'border' };
    const volume = Array.from({ length: 24 }, (_, i) => places[(i * 5 + 1) % 12]!);
    await checkForms({
      op: 'GridSample',
      attrs,
      inputs: [noise([1, 2, 3, 4, 5]), tensor('float32', [1, 2, 2, 2, 3], volume)],
    });
    await checkGradient({
      build: (g, v) => apply(g, 'GridSample', v, attrs),
      inputs: [{ shape: [1, 2, 3, 4, 5] }, { shape: [1, 2, 2, 2, 3], values: volume }],
    });
  });
  test('takes the names of opset 16', () => {
    const g = builder();
    const v = [g.input('x', 'float32', [1, 1, 4, 5]), g.input('at', 'float32', [1, 3, 4, 2])];
    expect(apply(g, 'GridSample', v, { mode: 'bilinear' }).shape).toEqual([1, 1, 3, 4]);
    expect(() => apply(g, 'GridSample', v, { mode: 'area' })).toThrow(/mode "area" is not known/);
  });
});

test.each([0, 1])('AffineGrid, align_corners %i', async (align_corners) => {
  await check('AffineGrid', { align_corners }, [[2, 2, 3]], [ints(2, 1, 3, 4)]);
  await check('AffineGrid', { align_corners }, [[1, 3, 4]], [ints(1, 1, 2, 3, 4)]);
});

test.each([1, 3, 5])('LRN over %i channels', (size) =>
  check('LRN', { size, alpha: 0.3, beta: 0.6, bias: float(1.5) }, [[2, 6, 2, 3]]),
);
test.each<[string, Attrs, number[]]>([
  ['over batch and space', {}, [2, 3, 4, 2]],
  ['over given axes', { axes: [1, 2] }, [2, 4, 3]],
])('MeanVarianceNormalization %s', (_, attrs, shape) => check('MeanVarianceNormalization', attrs, [shape]));

test.each([
  [1, -1],
  [2, -1],
  [2, 1],
])('LpNormalization p = %i, axis %i', (p, axis) => check('LpNormalization', { p, axis }, [[2, 3, 4]]));
test('LpNormalization of zeros is zeros', async () => {
  const [y] = await checkForms({ op: 'LpNormalization', inputs: [tensor('float32', [1, 3], [0, 0, 0])] });
  expect(numbersOf(y!)).toEqual([0, 0, 0]);
});

test.each([-1, 0, 1])('Hardmax along axis %i gives a tie to the first', async (axis) => {
  const values = [1, 3, 3, -1, 2, 2, 5, 5, 0, 0, 0, 0];
  await checkForms({ op: 'Hardmax', attrs: { axis }, inputs: [tensor('float32', [3, 2, 2], values)] });
});
