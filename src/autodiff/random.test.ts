/** @file Random compositions of operators: their gradients against finite differences. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import { GraphError, type Value } from '#src/graph/types.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { apply } from '#src/ops/testing/apply.ts';
import { checkGradient } from '#src/ops/testing/gradcheck.ts';
import { builder } from '#src/ops/table.ts';
import { depth } from '#src/platform/testing/depth.ts';

/** What a step may read: two earlier values, and three small numbers to choose attributes by. */
interface Step {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly n: readonly [number, number, number];
}

type Maker = (g: Builder, x: Value, y: Value, n: Step['n']) => Value | undefined;

const axisOf = (x: Value, n: number): number => n % x.shape.length;
const isMatrix = (x: Value): boolean => x.shape.length >= 2;

/** Bounded, so that no composition grows beyond what differences can tell. */
const bounded = (g: Builder, x: Value): Value => g.emit('Tanh', [x]);

/** Smooth operators: differences know no kinks. All have float64 kernels on wasm, or are written out in such. */
const makers: Readonly<Record<string, Maker>> = {
  Add: (g, x, y) => g.add(x, y),
  Sub: (g, x, y) => g.sub(x, y),
  Mul: (g, x, y) => g.mul(x, y),
  Div: (g, x, y) => g.div(x, g.add(g.emit('Sigmoid', [y]), g.scalar(1, y.type))),
  Pow: (g, x, y) => g.emit('Pow', [g.add(g.emit('Sigmoid', [x]), g.scalar(0.5, x.type)), y]),
  Tanh: (g, x) => bounded(g, x),
  Sigmoid: (g, x) => g.emit('Sigmoid', [x]),
  Sin: (g, x) => g.emit('Sin', [x]),
  Sqrt: (g, x) => g.sqrt(g.add(g.mul(x, x), g.scalar(1, x.type))),
  Swish: (g, x, _, [n]) => apply(g, 'Swish', [x], { alpha: { kind: 'float', value: 0.5 + n / 10 } }),
  Where: (g, x, y) => g.where(g.constant(tensor('bool', [], [1])), g.add(x, y), y),
  Softmax: (g, x, _, [n]) => g.emit('Softmax', [x], { axis: axisOf(x, n) }),
  LogSoftmax: (g, x, _, [n]) => bounded(g, g.emit('LogSoftmax', [x], { axis: axisOf(x, n) })),
  LpNormalization: (g, x, _, [n]) =>
    apply(g, 'LpNormalization', [g.exp(bounded(g, x))], { axis: axisOf(x, n) }),
  Reduce: (g, x, _, [n, keepdims, k]) => {
    const op = ['ReduceSum', 'ReduceMean', 'ReduceSumSquare', 'ReduceLogSumExp', 'ReduceProd'][k % 5]!;
    return bounded(g, g.emit(op, [x, g.ints([axisOf(x, n)])], { keepdims: keepdims % 2 }));
  },
  CumSum: (g, x, _, [n, exclusive, reverse]) =>
    bounded(
      g,
      g.emit('CumSum', [x, g.constant(tensor('int64', [], [axisOf(x, n)]))], {
        exclusive: exclusive % 2,
        reverse: reverse % 2,
      }),
    ),
  MatMul: (g, x, y) => (isMatrix(x) && isMatrix(y) ? bounded(g, g.matMul(x, g.mT(y))) : undefined),
  Einsum: (g, x, y) =>
    isMatrix(x) && isMatrix(y)
      ? bounded(g, apply(g, 'Einsum', [x, y], { equation: '...ij,...kj->k...i' }))
      : undefined,
  Transpose: (g, x, _, [n]) =>
    g.transpose(
      x,
      x.shape.map((_d, i) => (i + n) % x.shape.length),
    ),
  Reshape: (g, x, _, [n]) => g.reshape(x, n % 2 ? [sizeOf(x.shape)] : [1, ...x.shape]),
  Concat: (g, x, y, [n]) => (x.shape.length === y.shape.length ? g.concat([x, y], axisOf(x, n)) : undefined),
  Slice: (g, x, _, [n, step]) =>
    step % 2
      ? g.slice(x, [-1], [-(2 ** 31)], [axisOf(x, n)], [-1 - (step % 3)])
      : g.slice(x, [0], [2 ** 31 - 1], [axisOf(x, n)], [1 + (step % 3)]),
  Split: (g, x, _, [n, part]) => {
    const axis = axisOf(x, n);
    const d = x.shape[axis]!;
    return d < 2 ? undefined : g.split(x, axis, [1, d - 1])[part % 2];
  },
  Pad: (g, x, _, [n, mode]) => {
    const axis = axisOf(x, n);
    const name = ['constant', 'edge', 'reflect', 'wrap'][mode % 4]!;
    const pads = [...x.shape, ...x.shape].map((_d, i) => Number(i % x.shape.length === axis));
    return name === 'reflect' && x.shape[axis] === 1
      ? undefined
      : g.emit('Pad', [x, g.ints(pads)], { mode: name });
  },
  Expand: (g, x) => g.expand(x, [2, ...x.shape]),
  Tile: (g, x, _, [n]) => g.emit('Tile', [x, g.ints(x.shape.map((_d, i) => 1 + Number(i === axisOf(x, n))))]),
  Trilu: (g, x, _, [upper]) => (isMatrix(x) ? g.emit('Trilu', [x], { upper: upper % 2 }) : undefined),
  Gather: (g, x, _, [n, i, k]) => {
    const axis = axisOf(x, n);
    const d = x.shape[axis]!;
    return g.emit('Gather', [x, g.ints([i % d, -1, (i + k) % d])], { axis });
  },
  GatherElements: (g, x, _, [n, i]) => {
    const axis = axisOf(x, n);
    const at = Array.from({ length: sizeOf(x.shape) }, (_d, k) => (k * (i + 1)) % x.shape[axis]!);
    return g.emit('GatherElements', [x, g.constant(tensor('int64', x.shape, at))], { axis });
  },
  ScatterElements: (g, x, y, [n, i, how]) => {
    if (x.shape.join() !== y.shape.join()) return undefined;
    const axis = axisOf(x, n);
    const at = Array.from({ length: sizeOf(x.shape) }, (_d, k) => (k * (i + 1)) % x.shape[axis]!);
    const reduction = ['add', 'mul'][how % 2]!;
    return bounded(
      g,
      g.emit('ScatterElements', [x, g.constant(tensor('int64', x.shape, at)), y], { axis, reduction }),
    );
  },
  LayerNormalization: (g, x, _, [n]) => {
    const axis = axisOf(x, n);
    const scale = tensor('float32', x.shape.slice(axis), new Array(sizeOf(x.shape.slice(axis))).fill(1.5));
    const widened = g.add(x, g.emit('Sin', [g.mul(g.add(x, position(g, x)), g.scalar(3, x.type))]));
    return g.emit('LayerNormalization', [widened, g.cast(g.constant(scale), x.type)], { axis, epsilon: 0.1 });
  },
};

/** A different number for each element, so that no row is constant and no variance 0. */
function position(g: Builder, x: Value): Value {
  const ramp = Array.from({ length: sizeOf(x.shape) }, (_, i) => (i * 0.7) % 2);
  return g.cast(g.constant(tensor('float32', x.shape, ramp)), x.type);
}

const names = Object.keys(makers);
const largest = 200;

/** Runs the steps; those that do not fit their operands are left out. The last values, the sinks, are the outputs. */
const compose =
  (steps: readonly Step[], used: string[] = []) =>
  (g: Builder, inputs: Value[]): Value[] => {
    const pool = [...inputs];
    for (const { op, a, b, n } of steps) {
      const [x, y] = [pool[a % pool.length]!, pool[b % pool.length]!];
      const name = names[op % names.length]!;
      if (x.shape.length === 0 || y.shape.length === 0) continue;
      try {
        const made = makers[name]!(g, x, y, n);
        if (!made || sizeOf(made.shape) > largest || made.shape.length > 5) continue;
        pool.push(made);
        used.push(name);
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
      }
    }
    return [...new Set(pool.slice(inputs.length))].filter((v) => !inputs.includes(v)).slice(-3);
  };

const small = fc.nat(11);
const program = fc.record({
  shapes: fc.array(fc.constantFrom([2, 3], [3], [2, 1], [1, 3], [4, 2, 3], [2, 2, 2]), {
    minLength: 1,
    maxLength: 3,
  }),
  steps: fc.array(
    fc.record({
      op: fc.nat(names.length - 1),
      a: fc.nat(30),
      b: fc.nat(30),
      n: fc.tuple(small, small, small),
    }),
    {
      minLength: 3,
      maxLength: 14,
    },
  ),
  seed: fc.nat(1000),
});

test('gradients of random compositions agree with finite differences', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(program, async ({ shapes, steps, seed }) => {
      const used: string[] = [];
      const g = builder();
      const inputs = shapes.map((s, i) => g.input(`x${i}`, 'float32', s));
      fc.pre(compose(steps, used)(g, inputs).length > 0);
      const { type } = await checkGradient({
        build: compose(steps),
        inputs: shapes.map((shape) => ({ shape })),
        seed,
        directions: 1,
        tolerance: 1e-6,
      });
      expect(type).toBe('float64');
      for (const name of used) seen.add(name);
    }),
    { numRuns: depth(40, 120), seed: 20 },
  );
  expect([...seen].sort()).toEqual([...names].sort());
});
