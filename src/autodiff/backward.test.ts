import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { builder, infer } from '#src/ops/table.ts';
import { checkGradient } from '#src/ops/testing/gradcheck.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { backward } from './backward.ts';
import { unbroadcast } from './unbroadcast.ts';

const f32 = (shape: number[], values: number[]): Tensor => tensor('float32', shape, values);

/** Gradients of Σ y, and the operators that were emitted for them. */
function gradients(g: Builder, y: Value, wrt: readonly Value[]): { grads: (Value | null)[]; ops: string[] } {
  const ones = g.constant(
    tensor(y.type, y.shape, new Float64Array(y.shape.reduce((a, b) => a * b, 1)).fill(1)),
  );
  const before = g.nodes.length;
  const grads = backward(g, new Map([[y.name, ones]]), wrt);
  return { grads, ops: g.nodes.slice(before).map((n) => n.op) };
}

describe('backward', () => {
  test('adds the cotangents of a value that is used several times', async () => {
    await checkGradient({
      build: (g, [x]) => g.add(g.mul(x!, g.emit('Tanh', [x!])), g.emit('Sigmoid', [x!])),
      inputs: [{ shape: [2, 3] }],
    });
  });

  test('adds the cotangents of an output that is used further on', async () => {
    await checkGradient({
      build: (g, [x]) => {
        const y = g.emit('Tanh', [x!]);
        return [y, g.mul(y, y)];
      },
      inputs: [{ shape: [4] }],
    });
  });

  test('differentiates by values in the middle of the graph, and passes on through them', async () => {
    const g = builder();
    const x = g.input('x', 'float32', [2]);
    const middle = g.mul(x, g.scalar(3));
    const y = g.mul(middle, middle);
    const { grads } = gradients(g, y, [x, middle]);
    const out = await runGraph(g.build(grads as Value[]), { x: f32([2], [1, 2]) });
    expect(numbersOf(out[grads[0]!.name]!)).toEqual([18, 36]);
    expect(numbersOf(out[grads[1]!.name]!)).toEqual([6, 12]);
  });

  test('differentiates by constants', async () => {
    const g = builder();
    const x = g.input('x', 'float32', [1, 2]);
    const w = g.constant(f32([2, 2], [1, 2, 3, 4]), 'weight');
    const { grads } = gradients(g, g.matMul(x, w), [w]);
    const out = await runGraph(g.build(grads as Value[]), { x: f32([1, 2], [5, 7]) });
    expect(numbersOf(out[grads[0]!.name]!)).toEqual([5, 5, 7, 7]);
  });

  test('gives null where the output does not depend on a value', () => {
    const g = builder();
    const x = g.input('x', 'float32', [2]);
    const other = g.input('other', 'float32', [2]);
    g.emit('Exp', [other]);
    expect(gradients(g, g.exp(x), [x, other]).grads[1]).toBeNull();
  });

  test('emits nothing for what nobody wants', () => {
    const g = builder();
    const x = g.input('x', 'float32', [4, 3]);
    const bias = g.input('bias', 'float32', [3]);
    const weight = g.input('weight', 'float32', [3]);
    const y = g.add(g.mul(x, weight), bias);
    expect(gradients(g, y, [x]).ops).toEqual(['Mul']);
    expect(gradients(g, y, [bias]).ops).toEqual(['ReduceSum']);
  });

  test('sums down what was broadcast', async () => {
    await checkGradient({
      build: (g, [a, b, c, d]) => g.add(g.mul(a!, b!), g.sub(c!, d!)),
      inputs: [{ shape: [2, 3, 4] }, { shape: [3, 1] }, { shape: [] }, { shape: [1, 1, 4] }],
    });
  });

  test('stops at operators without a derivative', async () => {
    const g = builder();
    const x = g.input('x', 'float32', [3]);
    const mask = g.cast(g.emit('Greater', [x, g.scalar(0)]), 'float32');
    const { grads } = gradients(g, g.add(g.mul(x, mask), g.emit('Floor', [x])), [x]);
    const out = await runGraph(g.build(grads as Value[]), { x: f32([3], [-1.5, 0.5, 2]) });
    expect(numbersOf(out[grads[0]!.name]!)).toEqual([0, 1, 1]);
    const h = builder();
    const z = h.input('z', 'float32', [3]);
    expect(gradients(h, h.emit('Round', [z]), [z]).grads).toEqual([null]);
  });

  test('takes the gradient of a composite from its rule, whatever it is made of', async () => {
    const g = builder();
    const x = g.input('x', 'float32', [2]);
    const k = g.input('k', 'float32', [2]);
    const seen: (readonly boolean[])[] = [];
    const inner = g.emit('Floor', [g.mul(x, k)]);
    const y = g.composite('straight-through', [x, k], g.add(inner, k), (dy, wants) => {
      seen.push(wants);
      return [g.mul(dy, g.scalar(5)), null];
    });
    const { grads } = gradients(g, g.mul(y, g.scalar(2)), [x]);
    expect(seen).toEqual([[true, false]]);
    const out = await runGraph(g.build(grads as Value[]), { x: f32([2], [1, 2]), k: f32([2], [1, 2]) });
    expect(numbersOf(out[grads[0]!.name]!)).toEqual([10, 10]);
  });

  test('does not call a composite that nothing wanted goes into', () => {
    const g = builder();
    const x = g.input('x', 'float32', [2]);
    const y = g.composite('frozen', [x], g.exp(x), () => {
      throw new Error('called');
    });
    expect(gradients(g, y, [y]).grads[0]!.shape).toEqual([2]);
  });

  const mystery = (): { g: Builder; x: Value } => {
    const g = new Builder((node, inputs, constant) =>
      node.op === 'Mystery'
        ? [{ type: inputs[0]!.type, shape: inputs[0]!.shape }]
        : infer(node, inputs, constant),
    );
    return { g, x: g.input('x', 'float32', [2]) };
  };

  test('names the operator that a gradient cannot pass', () => {
    const { g, x } = mystery();
    const y = g.emit('Mystery', [g.exp(x)], {}, { name: '/block/Mystery' });
    expect(() => gradients(g, y, [x])).toThrow(
      /Mystery \/block\/Mystery has no gradient, and one must pass through it\. Export the model without this operator/,
    );
  });

  test('passes over an unknown operator that no gradient must pass', () => {
    const { g, x } = mystery();
    const w = g.input('w', 'float32', [2]);
    const y = g.mul(g.emit('Mystery', [x]), w);
    expect(gradients(g, y, [w]).ops).toEqual(['Mul']);
  });

  test('refuses a rule that gives another type or shape', () => {
    const g = builder();
    const x = g.input('x', 'float32', [2]);
    const y = g.composite('typed', [x], g.exp(x), (dy) => [g.cast(dy, 'float64')]);
    expect(() => gradients(g, y, [x])).toThrow(/typed: gives float64 for the float32 input x/);
    const z = g.composite('shaped', [x], g.log(x), () => [g.input('wrong', 'float32', [3])]);
    expect(() => gradients(g, z, [x])).toThrow(/\[3\] does not fit x/);
  });

  test('is linear in the nodes: a chain of 20,000', () => {
    let inferred = 0;
    const g = new Builder((...args) => {
      inferred++;
      return infer(...args);
    });
    const x = g.input('x', 'float32', [2]);
    const weights = Array.from({ length: 100 }, (_, i) => g.input(`w${i}`, 'float32', [2]));
    let y = x;
    for (let i = 0; i < 10_000; i++) y = g.emit('Tanh', [g.add(y, weights[i % 100]!)]);
    const { grads, ops } = gradients(g, y, [x, ...weights]);
    expect(grads.every((v) => v !== null)).toBe(true);
    // Three nodes for each Tanh, and the sums over the 100 uses of each weight.
    expect(ops).toHaveLength(3 * 10_000 + 100 * 99);
    expect(inferred).toBe(g.nodes.length);
  });

  test('is linear in the uses of one value', () => {
    const g = builder();
    const x = g.input('x', 'float32', [2]);
    const y = Array.from({ length: 10_000 }, () => g.exp(x)).reduce((a, b) => g.add(a, b));
    expect(gradients(g, y, [x]).ops).toHaveLength(10_000 + 9_999);
  });
});

test('random compositions agree with finite differences', async () => {
  const unary = ['Tanh', 'Sigmoid', 'Sin', 'Cos', 'Neg', 'Softmax'];
  const binary = ['Add', 'Sub', 'Mul'];
  const shapes = [[2, 3], [3], [2, 1], [], [4, 2, 3]];
  const step = fc.record({ op: fc.nat(12), a: fc.nat(50), b: fc.nat(50), axis: fc.nat(2) });
  const program = fc.record({
    inputs: fc.array(fc.constantFrom(...shapes), { minLength: 1, maxLength: 3 }),
    steps: fc.array(step, { minLength: 1, maxLength: 12 }),
    seed: fc.nat(1000),
  });
  type Step = { op: number; a: number; b: number; axis: number };
  const build = (steps: readonly Step[]) => (g: Builder, inputs: Value[]) => {
    const pool = [...inputs];
    for (const { op, a, b, axis } of steps) {
      const x = pool[a % pool.length]!;
      const y = pool[b % pool.length]!;
      const rank = x.shape.length;
      if (op < unary.length) {
        if (rank > 0 || unary[op] !== 'Softmax') pool.push(g.emit(unary[op]!, [x]));
      } else if (op < 9) pool.push(g.emit('Tanh', [g.emit(binary[op - 6]!, [x, y])]));
      else if (op === 9 && rank > 0) pool.push(g.reduceMean(x, [axis % rank], axis === 0));
      else if (op === 10 && rank > 1) pool.push(g.emit('Tanh', [g.matMul(x, g.mT(x))]));
      else if (op === 11 && rank > 0) pool.push(g.concat([x, g.exp(x)], axis % rank));
      else if (op === 12 && rank > 1) pool.push(g.mT(x));
    }
    return pool.slice(inputs.length).slice(-2);
  };
  /** Broadcasting demands that the shapes fit; others are left out. */
  const valid = (p: { inputs: number[][]; steps: Step[] }): boolean => {
    const g = builder();
    try {
      return (
        build(p.steps)(
          g,
          p.inputs.map((s, i) => g.input(`x${i}`, 'float32', s)),
        ).length > 0
      );
    } catch (error) {
      if (error instanceof Error && /do not broadcast/.test(error.message)) return false;
      throw error;
    }
  };
  await fc.assert(
    fc.asyncProperty(program.filter(valid), async ({ inputs, steps, seed }) => {
      await checkGradient({
        build: build(steps),
        inputs: inputs.map((shape) => ({ shape })),
        seed,
        directions: 1,
      });
    }),
    { numRuns: 60, seed: 11 },
  );
});

describe('unbroadcast', () => {
  const sum = (from: number[], to: number[]): { value: Value; ops: string[] } => {
    const g = builder();
    const value = unbroadcast(g, g.input('d', 'float32', from), { name: 'x', shape: to });
    return { value, ops: g.nodes.map((n) => n.op) };
  };

  test.each([
    [[2, 3], [2, 3], []],
    [[4, 2, 3], [2, 3], ['ReduceSum']],
    [[2, 3], [2, 1], ['ReduceSum']],
    [
      [4, 2, 3],
      [1, 3],
      ['ReduceSum', 'Reshape'],
    ],
    [[1, 1, 3], [3], ['Reshape']],
    [[2, 3], [], ['ReduceSum']],
  ])('%j to %j takes %j', (from, to, expected) => {
    const { value, ops } = sum(from, to);
    expect(value.shape).toEqual(to);
    expect(ops).toEqual(expected);
  });

  test('refuses shapes that do not come from broadcasting', () => {
    expect(() => sum([2, 3], [2, 2])).toThrow(/\[2,3\] does not fit x of shape \[2,2\]/);
    expect(() => sum([3], [2, 3])).toThrow(/smaller rank/);
  });
});
