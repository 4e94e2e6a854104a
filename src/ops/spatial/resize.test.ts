import { expect, test } from 'vitest';
import type { AttributeInput } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { repeatFactor, samplingMatrix } from './interpolation.ts';
import { builder, operators } from '../table.ts';
import { checkGradient } from '../testing/gradcheck.ts';

type Attrs = Record<string, AttributeInput | undefined>;
interface Target {
  readonly scales?: readonly number[];
  readonly sizes?: readonly number[];
  readonly roi?: readonly number[];
}

const floats = (g: Builder, values: readonly number[]): Value =>
  g.constant(tensor('float32', [values.length], values));

/** A linear operator: that the gradient is its transpose proves the matrix against onnxruntime's forward. */
async function check(attrs: Attrs, shape: number[], to: Target) {
  let inferred: readonly number[] = [];
  const result = await checkGradient({
    build: (g, [x]) => {
      const y = g.emit(
        'Resize',
        [
          x!,
          to.roi ? floats(g, to.roi) : null,
          to.scales ? floats(g, to.scales) : null,
          ...(to.sizes ? [g.ints(to.sizes)] : []),
        ],
        attrs,
      );
      inferred = y.shape;
      return y;
    },
    inputs: [{ shape }],
    step: 0.1,
    directions: 6,
  });
  expect(result.outputs[0]!.shape).toEqual(inferred);
  return result;
}

const sdUpsample: Attrs = {
  mode: 'nearest',
  nearest_mode: 'floor',
  coordinate_transformation_mode: 'asymmetric',
};

test.each([
  [
    [2, 3, 4, 5],
    [1, 1, 2, 2],
  ],
  [
    [1, 2, 3, 4],
    [1, 1, 3, 2],
  ],
  [
    [2, 3, 4],
    [1, 1, 2],
  ],
  [
    [1, 2, 2, 3, 2],
    [1, 1, 2, 2, 2],
  ],
])('whole nearest scales of %j by %j are one Conv backwards', async (shape, scales) => {
  const { emitted } = await check(sdUpsample, shape, { scales });
  expect(emitted.filter((n) => n.op !== 'Reshape').map((n) => n.op)).toEqual(['Conv']);
});

test.each(['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil'])(
  'nearest, %s',
  async (nearest_mode) => {
    for (const coordinate_transformation_mode of ['asymmetric', 'half_pixel', 'align_corners']) {
      const attrs = { mode: 'nearest', nearest_mode, coordinate_transformation_mode };
      await check(attrs, [1, 2, 5, 4], { sizes: [1, 2, 8, 3] });
      await check(attrs, [1, 2, 5, 4], { scales: [1, 1, 1.7, 0.6] });
    }
  },
);

for (const mode of ['linear', 'cubic'])
  test.each(['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'])(
    `${mode}, %s`,
    async (coordinate_transformation_mode) => {
      const attrs = { mode, coordinate_transformation_mode };
      await check(attrs, [1, 2, 4, 5], { scales: [1, 1, 2, 2] });
      await check(attrs, [1, 2, 5, 4], { sizes: [1, 2, 8, 3] });
      await check(attrs, [1, 2, 7, 6], { scales: [1, 1, 0.6, 1.3] });
    },
  );

test('cubic with another coefficient, and with the outside left out', async () => {
  await check({ mode: 'cubic', cubic_coeff_a: -0.5 }, [1, 1, 4, 5], { scales: [1, 1, 2, 1.5] });
  await check({ mode: 'cubic', exclude_outside: 1 }, [1, 1, 4, 5], { scales: [1, 1, 2, 1.5] });
});

test('antialiased shrinking', async () => {
  await check({ mode: 'linear', antialias: 1 }, [1, 1, 9, 8], { sizes: [1, 1, 4, 3] });
  await check({ mode: 'cubic', antialias: 1 }, [1, 1, 9, 8], { sizes: [1, 1, 4, 3] });
});

test('a cropped region', async () => {
  await check(
    { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize', extrapolation_value: 0.5 },
    [1, 1, 5, 6],
    { roi: [0, 0, 0.2, 0.1, 1, 1, 0.9, 1.3], sizes: [1, 1, 4, 5] },
  );
});

test('some axes only, and kept proportions', async () => {
  await check({ ...sdUpsample, axes: [2, 3] }, [1, 2, 3, 4], { scales: [2, 2] });
  await check({ mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' }, [1, 2, 4, 6], {
    sizes: [6, 12],
  });
  await check({ mode: 'linear', axes: [3, 2], keep_aspect_ratio_policy: 'not_smaller' }, [1, 2, 4, 6], {
    sizes: [9, 5],
  });
});

test('older forms become Resize', () => {
  const g = builder();
  const x = g.input('x', 'float32', [1, 2, 3, 4]);
  const scales = floats(g, [1, 1, 2, 2]);
  const node: Node = {
    op: 'Resize',
    domain: '',
    name: 'up',
    inputs: [x.name, scales.name],
    outputs: ['y'],
    attributes: { mode: { kind: 'string', value: 'nearest' } },
  };
  const converted = operators['Resize']!.convert!(node, 10, g);
  expect(converted.inputs).toEqual([x.name, '', scales.name]);
  expect(g.append(converted)[0]!.shape).toEqual([1, 2, 6, 8]);
  const upsample = operators['Upsample']!.convert!(
    {
      ...node,
      op: 'Upsample',
      inputs: [x.name],
      outputs: ['z'],
      attributes: {
        mode: { kind: 'string', value: 'nearest' },
        scales: { kind: 'floats', value: [1, 1, 3, 2] },
      },
    },
    7,
    g,
  );
  expect(upsample.op).toBe('Resize');
  expect(g.append(upsample)[0]!.shape).toEqual([1, 2, 9, 8]);
});

test('scales that are not constant are refused with the way out', () => {
  const g = builder();
  const x = g.input('x', 'float32', [1, 2, 3, 4]);
  const scales = g.input('scales', 'float32', [4]);
  expect(() => g.emit('Resize', [x, null, scales])).toThrow(/Resize.*constant scales or sizes.*bind/);
});

test('a repetition is told from other matrices', () => {
  const nearest = {
    mode: 'nearest',
    rounding: 'floor',
    cubicA: -0.75,
    excludeOutside: false,
    antialias: false,
  } as const;
  expect(repeatFactor(samplingMatrix(3, 6, 2, { ...nearest, coordinates: 'asymmetric' }))).toBe(2);
  expect(
    repeatFactor(samplingMatrix(3, 5, 5 / 3, { ...nearest, coordinates: 'asymmetric' })),
  ).toBeUndefined();
  expect(
    repeatFactor(samplingMatrix(4, 8, 2, { ...nearest, rounding: 'ceil', coordinates: 'asymmetric' })),
  ).toBeUndefined();
});
