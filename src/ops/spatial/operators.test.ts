import { describe, expect, test } from 'vitest';
import type { AttributeInput } from '#src/graph/attributes.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { builder } from '../table.ts';
import { checkGradient, type GradCheck, type GradCheckResult } from '../testing/gradcheck.ts';
import { runGraph } from '../testing/runGraph.ts';

type Attrs = Record<string, AttributeInput | undefined>;

/** Checks the gradient, and that onnxruntime's output has the shape that the table infers. */
async function check(op: string, attrs: Attrs, shapes: number[][], options: Partial<GradCheck> = {}) {
  let inferred: readonly number[] = [];
  const result: GradCheckResult = await checkGradient({
    build: (g, v) => {
      const y = g.emit(op, v, attrs);
      inferred = y.shape;
      return y;
    },
    inputs: shapes.map((shape) => ({ shape })),
    ...options,
  });
  expect(result.outputs[0]!.shape).toEqual(inferred);
  return result;
}

describe('Conv', () => {
  test.each([
    ['plain', {}, [2, 3, 6, 5], [4, 3, 3, 3]],
    ['pads', { pads: [1, 2, 0, 1] }, [2, 2, 5, 6], [3, 2, 3, 3]],
    ['stride that does not divide', { strides: [2, 3], pads: [1, 1, 1, 1] }, [1, 2, 7, 8], [3, 2, 3, 3]],
    ['stride over even lengths', { strides: [2, 2], pads: [1, 1, 1, 1] }, [2, 2, 6, 8], [3, 2, 3, 3]],
    ['dilation', { dilations: [2, 3], pads: [2, 3, 2, 3] }, [2, 2, 7, 8], [3, 2, 3, 3]],
    ['stride and dilation', { strides: [2, 2], dilations: [2, 1] }, [2, 2, 9, 8], [3, 2, 3, 2]],
    ['1×1', {}, [3, 4, 3, 5], [2, 4, 1, 1]],
    ['1×1 strided', { strides: [2, 2] }, [2, 4, 5, 6], [2, 4, 1, 1]],
    ['1×3', { pads: [0, 1, 0, 1] }, [2, 2, 4, 5], [3, 2, 1, 3]],
    ['groups', { group: 2, pads: [1, 1, 1, 1] }, [2, 4, 5, 4], [6, 2, 3, 3]],
    ['groups, strided', { group: 3, strides: [2, 2] }, [2, 6, 7, 6], [3, 2, 3, 3]],
    ['depthwise', { group: 4, pads: [1, 1, 1, 1] }, [2, 4, 5, 5], [4, 1, 3, 3]],
    ['depthwise with multiplier', { group: 2 }, [2, 2, 5, 5], [6, 1, 3, 2]],
    ['patches', { strides: [4, 2] }, [2, 3, 8, 6], [5, 3, 4, 2]],
    ['patches that leave a rest', { strides: [4, 3] }, [2, 3, 9, 8], [5, 3, 4, 3]],
    ['grouped patches', { strides: [2, 2], group: 2 }, [2, 4, 4, 6], [6, 2, 2, 2]],
    ['SAME_UPPER', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [2, 2, 6, 5], [3, 2, 3, 3]],
    ['SAME_LOWER', { auto_pad: 'SAME_LOWER', strides: [2, 1] }, [2, 2, 6, 5], [3, 2, 3, 2]],
    [
      'SAME with a stride above the kernel',
      { auto_pad: 'SAME_UPPER', strides: [3, 3] },
      [1, 2, 8, 7],
      [3, 2, 2, 2],
    ],
    ['VALID', { auto_pad: 'VALID' }, [2, 2, 4, 5], [3, 2, 3, 3]],
    ['1-D', { pads: [2, 1], strides: [2] }, [2, 3, 8], [4, 3, 4]],
    ['1-D dilated, grouped', { dilations: [3], group: 2 }, [2, 4, 11], [4, 2, 3]],
    ['3-D', { pads: [1, 0, 1, 0, 1, 1], strides: [1, 2, 1] }, [2, 2, 3, 4, 3], [3, 2, 2, 3, 2]],
    ['one position', {}, [2, 2, 3, 3], [3, 2, 3, 3]],
  ] as [string, Attrs, number[], number[]][])('%s', async (_, attrs, x, w) => {
    await check('Conv', attrs, [x, w, [w[0]!]]);
  });

  test('only what is wanted is emitted', async () => {
    const { emitted } = await check(
      'Conv',
      { pads: [1, 1, 1, 1] },
      [
        [2, 3, 5, 5],
        [4, 3, 3, 3],
      ],
      { wants: [true, false] },
    );
    expect(emitted.map((n) => n.op)).toEqual(['ConvTranspose']);
  });

  test('channels that do not fit are named', () => {
    const g = builder();
    const x = g.input('x', 'float32', [1, 3, 4, 4]);
    const w = g.input('w', 'float32', [2, 4, 3, 3]);
    expect(() => g.emit('Conv', [x, w])).toThrow(/Conv.*3 input channels.*\[2,4,3,3\] with group 1/);
    const big = g.input('big', 'float32', [2, 3, 7, 7]);
    expect(() => g.emit('Conv', [x, big])).toThrow(/window of 7 does not fit spatial axis 0 of length 4/);
  });
});

describe('ConvTranspose', () => {
  test.each([
    ['plain', {}, [2, 3, 4, 5], [3, 4, 3, 3]],
    ['strided with pads', { strides: [2, 2], pads: [1, 1, 1, 1] }, [2, 3, 4, 3], [3, 2, 4, 4]],
    [
      'output_padding',
      { strides: [2, 3], pads: [1, 0, 1, 1], output_padding: [1, 2] },
      [2, 2, 3, 4],
      [2, 3, 3, 3],
    ],
    ['groups', { strides: [2, 2], group: 2 }, [2, 4, 3, 3], [4, 3, 2, 2]],
    ['dilation', { dilations: [2, 1], strides: [1, 2] }, [2, 2, 4, 3], [2, 3, 3, 2]],
    ['kernel below stride', { strides: [3, 3] }, [2, 2, 3, 3], [2, 3, 2, 2]],
    ['SAME_UPPER', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [1, 2, 3, 4], [2, 2, 3, 3]],
    ['SAME_LOWER', { auto_pad: 'SAME_LOWER', strides: [2, 2] }, [1, 2, 3, 4], [2, 2, 3, 3]],
    ['output_shape', { output_shape: [7, 9], strides: [2, 2] }, [1, 2, 4, 5], [2, 2, 3, 3]],
    [
      'output_shape beyond the windows',
      { output_shape: [10, 8], strides: [3, 2] },
      [1, 2, 3, 3],
      [2, 2, 3, 3],
    ],
    ['1-D', { strides: [2], pads: [1, 0] }, [2, 3, 5], [3, 2, 4]],
    ['3-D', { strides: [1, 2, 1], pads: [0, 1, 0, 0, 1, 1] }, [1, 2, 2, 3, 3], [2, 2, 2, 3, 2]],
  ] as [string, Attrs, number[], number[]][])('%s', async (_, attrs, x, w) => {
    await check('ConvTranspose', attrs, [x, w, [w[1]! * Number(attrs['group'] ?? 1)]]);
  });

  test.each([
    ['strided', { strides: [2, 1, 3], pads: [1, 0, 1, 0, 1, 2] }, [1, 2, 3, 3, 2], [2, 3, 3, 2, 3]],
    ['grouped', { group: 2, dilations: [1, 2, 1], strides: [1, 2, 2] }, [1, 4, 2, 3, 3], [4, 2, 2, 2, 3]],
    [
      'padded away',
      { pads: [3, 0, 0, 2, 0, 0], output_padding: [0, 1, 0], strides: [1, 2, 1] },
      [1, 1, 6, 2, 2],
      [1, 1, 2, 2, 2],
    ],
  ] as [string, Attrs, number[], number[]][])('3-D by a Conv, %s', async (_, attrs, xs, ws) => {
    const g = builder();
    const x = g.input('x', 'float32', xs);
    const w = g.input('w', 'float32', ws);
    const y = g.emit('ConvTranspose', [x, w], attrs);
    const lowered = (await import('../table.ts')).operators['ConvTranspose']!.lower!(g, g.nodes.at(-1)!, [
      x,
      w,
    ])!;
    const ramp = (shape: number[]) => {
      const n = shape.reduce((a, b) => a * b, 1);
      return tensor(
        'float32',
        shape,
        Array.from({ length: n }, (_, i) => Math.sin(i * 1.7)),
      );
    };
    const out = await runGraph(g.build([y, lowered[0]!]), { x: ramp(xs), w: ramp(ws) });
    const [a, b] = [out[y.name]!, out[lowered[0]!.name]!];
    expect(b.shape).toEqual(a.shape);
    a.data.forEach((v, i) => expect(Number(b.data[i])).toBeCloseTo(Number(v), 5));
  });
});

describe('pools', () => {
  const cases: [string, Attrs, number[]][] = [
    ['2×2', { kernel_shape: [2, 2], strides: [2, 2] }, [2, 3, 4, 6]],
    ['2×2 with a rest', { kernel_shape: [2, 2], strides: [2, 2] }, [2, 3, 5, 7]],
    ['3×3 stride 2 padded', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }, [1, 2, 7, 8]],
    ['overlapping', { kernel_shape: [3, 2], pads: [1, 0, 1, 1] }, [1, 2, 5, 6]],
    ['ceil', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }, [1, 2, 6, 8]],
    [
      'ceil and pads',
      { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 },
      [1, 2, 6, 8],
    ],
    [
      'ceil, last window outside',
      { kernel_shape: [2, 2], strides: [2, 3], pads: [0, 1, 0, 1], ceil_mode: 1 },
      [1, 2, 5, 6],
    ],
    ['SAME_UPPER', { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }, [1, 2, 6, 5]],
    ['dilated', { kernel_shape: [2, 3], dilations: [2, 2] }, [1, 2, 6, 7]],
    ['1-D', { kernel_shape: [3], strides: [2] }, [2, 3, 8]],
    ['3-D', { kernel_shape: [2, 2, 2], strides: [2, 1, 2] }, [1, 2, 4, 3, 5]],
  ];

  test.each(cases)('MaxPool %s', async (_, attrs, shape) => {
    const n = shape.reduce((a, b) => a * b, 1);
    // Distinct values half a unit apart: no window has a tie, and the differences' step stays below a change of order.
    const values = Array.from({ length: n }, (_, i) => ((i * 7919) % 1009) / 100 - 5);
    const { type } = await check('MaxPool', attrs, [shape], { inputs: [{ shape, values }], step: 1e-4 });
    expect(type).toBe('float64');
  });

  test('MaxPool gives a tie to the first maximum, as PyTorch does', async () => {
    const { gradients } = await checkGradientOf(
      'MaxPool',
      { kernel_shape: [2, 2], strides: [1, 1], pads: [1, 1, 1, 1] },
      [1, 1, 2, 3],
      [0, 0, 0, 0, 0, 0],
    );
    // torch.nn.functional.max_pool2d(zeros(1, 1, 2, 3), 2, 1, 1) with a cotangent of ones.
    expect(gradients).toEqual([4, 2, 2, 2, 1, 1]);
  });

  for (const count_include_pad of [0, 1])
    test.each(cases)(
      `AveragePool, pads ${count_include_pad ? '' : 'not '}counted: %s`,
      async (_, attrs, shape) => {
        await check('AveragePool', { ...attrs, count_include_pad }, [shape]);
      },
    );

  test('global pools', async () => {
    await check('GlobalAveragePool', {}, [[2, 3, 4, 5]]);
    const values = Array.from({ length: 2 * 3 * 12 }, (_, i) => ((i * 7919) % 1009) / 100 - 5);
    await check('GlobalMaxPool', {}, [[2, 3, 4, 3]], { inputs: [{ shape: [2, 3, 4, 3], values }] });
    await check('GlobalAveragePool', {}, [[2, 3, 5]]);
    const tied = await checkGradientOf('GlobalMaxPool', {}, [1, 1, 2, 2], [1, 3, 3, 3]);
    expect(tied.gradients).toEqual([0, 1, 0, 0]);
  });
});

/** The gradient for a cotangent of ones, unchecked: for points where differences do not exist. */
async function checkGradientOf(op: string, attrs: Attrs, shape: number[], values: number[]) {
  const { backward } = await import('#src/autodiff/backward.ts');
  const g = builder();
  const x = g.input('x', 'float32', shape);
  const y = g.emit(op, [x], attrs);
  const size = y.shape.reduce((a, b) => a * b, 1);
  const ones = g.constant(tensor('float32', y.shape, new Array(size).fill(1)));
  const [dx] = backward(g, new Map([[y.name, ones]]), [x]);
  const out = await runGraph(g.build([dx!]), { x: tensor('float32', shape, values) });
  return { gradients: Array.from(out[dx!.name]!.data, Number) };
}
