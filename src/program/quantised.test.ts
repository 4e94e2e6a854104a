/** @file A float model in 4 and 8 bits: which weights, and the step of the float model with the same numbers. */
import { describe, expect, it } from 'vitest';
import { knownError } from '#src/graph/rounded.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Bits } from '#src/onnx/blockwise.ts';
import { constantOf, numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import type { Side } from '#src/oft/types.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { lossesOf } from '#src/runtime/testing/losses.ts';
import { random } from '#src/tasks/random.ts';
import { estimateMemory } from './memory.ts';
import { quantised } from './quantised.ts';
import { noise, programOf } from './testing/steps.ts';

/** Each kind of product once, with odd sizes: 1×1 and 3×3 convolutions, Gemm both ways, MatMul, a transposed MatMul. */
function network(): Graph {
  const g = builder();
  const weight = (name: string, shape: readonly number[], seed: number) => {
    const fan = shape.length === 4 ? shape[1]! * shape[2]! * shape[3]! : shape[0]!;
    const data = noise(
      seed,
      shape.reduce((a, b) => a * b),
      1.7 / Math.sqrt(fan),
    );
    return g.initializer(name, constantOf(tensor('float32', shape, data)));
  };
  const conv = (name: string, x: Parameters<typeof g.emit>[1][number], shape: number[], seed: number) =>
    g.emit(
      'Conv',
      [x, weight(`${name}.weight`, shape, seed)],
      { kernel_shape: shape.slice(2), pads: shape[2] === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0] },
      { name },
    );
  const x = g.input('x', 'float32', [2, 51, 4, 4]);
  const a = g.emit('Tanh', [conv('wide', x, [96, 51, 1, 1], 1)]);
  const b = g.emit('Tanh', [conv('deep', a, [48, 96, 3, 3], 2)]);
  const rows = g.reshape(g.transpose(b, [0, 2, 3, 1]), [32, 48]);
  const c = g.emit('Tanh', [
    g.emit('Gemm', [rows, weight('up.weight', [96, 48], 3)], { transB: 1 }, { name: 'up' }),
  ]);
  const d = g.emit('Tanh', [g.emit('Gemm', [c, weight('mid.weight', [96, 85], 4)], {}, { name: 'mid' })]);
  const e = g.emit('Tanh', [g.emit('MatMul', [d, weight('down.weight', [85, 64], 5)], {}, { name: 'down' })]);
  const f = g.transpose(weight('last.weight', [70, 64], 6), [1, 0]);
  g.output(g.emit('MatMul', [e, f], {}, { name: 'last' }), 'y');
  return g.build();
}

const feed = noise(9, 2 * 51 * 16);

/** The float model with the numbers that the other one's weights are widened to. */
async function dense(graph: Graph, small: Graph): Promise<Graph> {
  const constants = new Map(graph.constants);
  for (const node of small.nodes) {
    if (node.op !== 'DequantizeLinear') continue;
    const outputs = node.outputs.map((name) => small.values.get(name)!);
    const wide = await runGraph({ ...small, inputs: [], outputs, nodes: [node] }, {});
    constants.set(node.inputs[0]!, constantOf(wide[node.outputs[0]!] as Tensor));
  }
  return { ...graph, constants };
}

describe.each<Bits>([4, 8])('a float model in %i bits', (bits) => {
  it('keeps its layers, and holds what they multiply by along the axis that is summed', () => {
    const graph = network();
    const { graph: small, weights, left } = quantised(graph, bits);
    expect(left).toEqual([]);
    expect(
      Object.fromEntries(weights.map(({ name, rounding: { axis, size } }) => [name, [axis, size]])),
    ).toEqual({
      'wide.weight': [1, bits === 4 ? 17 : 51],
      'deep.weight': [1, bits === 4 ? 32 : 48],
      'up.weight': [1, bits === 4 ? 24 : 48],
      'mid.weight': [0, bits === 4 ? 32 : 48],
      'down.weight': [0, bits === 4 ? 17 : 17],
      'last.weight': [1, bits === 4 ? 32 : 64],
    });
    expect(findLayers(small)).toEqual(findLayers(graph));
    const held = weights.reduce((sum, { after }) => sum + after, 0);
    const float = weights.reduce((sum, { before }) => sum + before, 0);
    expect(held / float).toBeLessThan(bits === 4 ? 0.19 : 0.28);
  });

  it('has the same constants in every program of the model', () => {
    const graph = network();
    const constants = (): unknown[] => {
      const { graph: small } = quantised({ ...graph, nodes: [...graph.nodes] }, bits);
      return [...small.constants.values()];
    };
    constants().forEach((constant, i) => expect(constant).toBe(constants()[i]));
  });

  it.each<Side>(['input', 'output'])(
    'takes the steps of the same numbers in float, %s side',
    async (side) => {
      const graph = network();
      const small = quantised(graph, bits).graph;
      const want = await lossesOf(programOf(await dense(graph, small), { side }), { x: feed }, 3);
      const program = programOf(small, { side });
      expect(program.stages[0]!.graph.nodes.some((n) => n.op === 'DequantizeLinear')).toBe(true);
      const got = await lossesOf(program, { x: feed }, 3);
      got.forEach((x, i) => expect(Math.abs(x - want[i]!)).toBeLessThan(2e-5 * Math.abs(want[i]!)));
      const [less, more] = [estimateMemory(program), estimateMemory(programOf(graph, { side }))];
      expect(less.weights).toBeLessThan((bits === 4 ? 0.2 : 0.3) * more.weights);
    },
  );

  it('is off by the error of its weight in a product with numbers of chance', async () => {
    const stream = random(1, 'quantised', 0);
    const chance = (shape: readonly number[]): Tensor =>
      tensor('float32', shape, stream.normal(shape[0]! * shape[1]!));
    const g = builder();
    const x = g.input('x', 'float32', [64, 256]);
    g.output(g.matMul(x, g.initializer('w', constantOf(chance([256, 128])))), 'y');
    const graph = g.build();
    const { graph: small, weights } = quantised(graph, bits);
    const feeds = { x: chance([64, 256]) };
    const [float, near] = [await runGraph(graph, feeds), await runGraph(small, feeds)];
    const [y, z] = [numbersOf(float['y']!), numbersOf(near['y']!)];
    const away = Math.hypot(...y.map((v, i) => v - z[i]!)) / Math.hypot(...y);
    const error = knownError(weights[0]!.rounding)!;
    // Of normal numbers: 0.082 and 0.0059 of the norm.
    expect(error).toBeCloseTo(bits === 4 ? 0.082 : 0.0059, bits === 4 ? 2 : 4);
    expect(away / error).toBeGreaterThan(0.9);
    expect(away / error).toBeLessThan(1.1);
  });
});

describe('quantised', () => {
  it('leaves tables, odd axes, small and trained weights as they are, and says which', () => {
    const g = builder();
    const weight = (name: string, shape: readonly number[]) =>
      g.initializer(name, constantOf(tensor('float32', shape, noise(1, shape[0]! * shape[1]!))));
    const ids = g.input('ids', 'int64', [3]);
    const table = weight('table', [100, 64]);
    const x = g.emit('Gather', [table, ids], {}, { name: 'embed' });
    const small = g.matMul(x, weight('small', [64, 61]));
    const prime = g.matMul(small, weight('prime', [61, 128]));
    const own = g.matMul(prime, weight('head', [128, 64]));
    g.output(g.matMul(own, g.transpose(table, [1, 0])), 'y');
    const graph = g.build();
    const made = quantised(graph, 4, new Set(['head']));
    expect(made.graph).toBe(graph);
    expect(made.weights).toEqual([]);
    expect(made.left).toEqual([
      { name: 'head', bytes: 32768, reason: 'is trained as a whole' },
      { name: 'prime', bytes: 31232, reason: 'sums over 61 numbers, which no block divides' },
      { name: 'table', bytes: 25600, reason: 'is looked up by Gather embed' },
    ]);
  });
});
