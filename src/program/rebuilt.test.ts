/** @file Weights that are stored small: held as they are stored, widened anew in the backward pass, with the results of the float model. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { constantOf, numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import type { Side } from '#src/oft/types.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { heap } from '#src/runtime/heap.ts';
import { lossesOf } from '#src/runtime/testing/losses.ts';
import { estimateMemory } from './memory.ts';
import { withRebuiltWeights } from './rebuilt.ts';
import { noise, programOf } from './testing/steps.ts';

/** A weight [rows, columns] in four bits with a scale for each block of 32 along its rows. */
function fourBits(g: Builder, name: string, rows: number, columns: number, seed: number): Value {
  const bytes = Uint8Array.from({ length: (rows * columns) / 2 }, (_, i) => (i * 2654435761 + seed) >>> 24);
  const w = g.initializer(name, constantOf({ type: 'uint4', shape: [rows, columns], data: bytes }));
  const scales = noise(seed, (rows * columns) / 32).map((x) => (1 + 0.2 * x) / (4 * Math.sqrt(columns)));
  const scale = g.initializer(`${name}/scale`, constantOf(tensor('float32', [rows, columns / 32], scales)));
  const zeros = new Uint8Array((rows * columns) / 64).fill(0x88);
  const zero = g.initializer(
    `${name}/zero`,
    constantOf({ type: 'uint4', shape: [rows, columns / 32], data: zeros }),
  );
  return g.emit('DequantizeLinear', [w, scale, zero], { axis: 1, block_size: 32 });
}

/** Layers of equal width with Tanh between them; dense: the same numbers in float32. */
async function network(layers: number, width: number, rows: number, dense = false): Promise<Graph> {
  const g = builder();
  let x = g.input('x', 'float32', [rows, width]);
  for (let i = 0; i < layers; i++) {
    const own = builder();
    own.output(fourBits(own, 'w', width, width, i), 'y');
    const w = dense
      ? g.initializer(`layers.${i}.weight`, constantOf((await runGraph(own.build(), {}))['y'] as Tensor))
      : fourBits(g, `layers.${i}.weight`, width, width, i);
    x = g.emit('Tanh', [g.emit('Gemm', [x, w], { transB: 1 }, { name: `layers.${i}` })]);
  }
  g.output(x, 'y');
  return g.build();
}

describe('a step over weights of four bits', () => {
  it.each<Side>(['input', 'output'])('learns as over the same numbers in float, %s side', async (side) => {
    const [rows, width] = [8, 96];
    const x = noise(9, rows * width);
    const small = await lossesOf(programOf(await network(3, width, rows), { side }), { x }, 3);
    const dense = await lossesOf(programOf(await network(3, width, rows, true), { side }), { x }, 3);
    small.forEach((x, i) => expect(Math.abs(x - dense[i]!)).toBeLessThan(2e-5 * Math.abs(dense[i]!)));
  });

  it.each<Side>(['input', 'output'])(
    'holds no float weights from one pass to the other, %s side',
    async (side) => {
      heap.begin();
      const [layers, rows, width] = [12, 4, 1024];
      const program = programOf(await network(layers, width, rows), { side });
      expect(
        program.stages[0]!.weights.filter((name) => !name.includes('scale') && !name.includes('zero')),
      ).toHaveLength(layers);
      const float = layers * width * width * 4;
      const { weights, total } = estimateMemory(program);
      expect(weights).toBeLessThan(float / 5);
      // The weight of one layer, its blocks moved to the front, turned, and moved back.
      expect(total - weights).toBeLessThan(6 * width * width * 4);
      const before = heap.bytes ?? 0;
      await lossesOf(program, { x: noise(9, rows * width) }, 3);
      expect(heap.bytes! - before).toBeLessThan(0.8 * float);
    },
    120_000,
  );
});

describe('withRebuiltWeights', () => {
  /** Products by weights that are read in the order given, several times each, as they are or in another layout. */
  const stepOf = (order: readonly { weight: number; moved: boolean }[], halves: boolean): Graph => {
    const g = builder();
    let x = g.input('x', 'float32', [3, 32]);
    const weights = new Map<number, Value>();
    for (const { weight, moved } of order) {
      let w = weights.get(weight);
      if (!w) {
        w = halves
          ? g.cast(
              g.initializer(
                `h${weight}`,
                constantOf({
                  type: 'float16',
                  shape: [32, 32],
                  data: Uint16Array.from({ length: 1024 }, (_, i) => 0x2000 + ((i * 7919 + weight) & 0xfff)),
                }),
              ),
              'float32',
            )
          : fourBits(g, `w${weight}`, 32, 32, weight);
        weights.set(weight, w);
      }
      x = g.matMul(x, moved ? g.transpose(w, [1, 0]) : w);
    }
    g.output(x, 'y');
    return g.build();
  };

  it('changes no number, whatever reads what when', async () => {
    const reads = fc.record({ weight: fc.integer({ min: 0, max: 2 }), moved: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(reads, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (order, halves) => {
          const graph = stepOf(order, halves);
          const rebuilt = withRebuiltWeights(graph, (name) => name === 'x', 16);
          const x = tensor('float32', [3, 32], noise(1, 96));
          const [a, b] = [await runGraph(graph, { x }), await runGraph(rebuilt, { x })];
          expect(numbersOf(b['y']!)).toEqual(numbersOf(a['y']!));
          // Who reads a weight again after another one reads a copy.
          const widenings = rebuilt.nodes.filter(
            (n) => n.op === 'DequantizeLinear' || n.op === 'Cast',
          ).length;
          const runs = order.filter(({ weight }, i) => order[i - 1]?.weight !== weight).length;
          expect(widenings).toBe(runs);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('leaves float weights and weights that are read once as they are', async () => {
    const dense = await network(2, 32, 3, true);
    expect(withRebuiltWeights(dense, (name) => name === 'x', 16)).toBe(dense);
    const once = stepOf([{ weight: 0, moved: false }], false);
    expect(withRebuiltWeights(once, (name) => name === 'x', 16)).toBe(once);
  });
});
