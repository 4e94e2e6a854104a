/** @file Weights that a file holds in float16: halves on the device, the same numbers as when they are widened at once. */
import { describe, expect, it } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import { halvesToNumbers, numbersToHalves } from '#src/onnx/float16.ts';
import { constantOf, numbersOf, sizeOf, tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { createRuntime } from '#src/runtime/runtime.ts';
import type { LoadExternal } from '#src/runtime/types.ts';
import { constantBytes } from '#src/runtime/weights.ts';
import { asHeld, widened } from './halves.ts';
import { estimateMemory } from './memory.ts';
import type { Program } from './types.ts';
import { runInputs } from './weights.ts';

const WIDTH = 72;
const shapes = { table: [100, WIDTH], first: [WIDTH, WIDTH], second: [WIDTH, WIDTH] };
const names = Object.keys(shapes) as (keyof typeof shapes)[];
const stored = numbersToHalves(
  Float32Array.from({ length: 100 * WIDTH + 2 * WIDTH * WIDTH }, (_, i) => Math.sin(i * 12.9898) / 4),
);
const file = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
const external: LoadExternal = (_, offset, length) => Promise.resolve(file.slice(offset, offset + length));

/** A table whose rows are taken, a product, and one by a matrix that is read transposed alone. */
function model(): Graph {
  const g = builder();
  const ids = g.input('ids', 'int32', [3]);
  let offset = 0;
  const [table, first, second] = names.map((name) => {
    const length = 2 * sizeOf(shapes[name]);
    const value = g.initializer(name, {
      type: 'float32',
      shape: shapes[name],
      data: { kind: 'external', location: 'weights', offset, length, stored: 'float16' },
    });
    offset += length;
    return value;
  });
  const rows = g.emit('Gather', [table!, ids], { axis: 0 });
  const bias = g.initializer('bias', constantOf(tensor('float32', [WIDTH], Array<number>(WIDTH).fill(0.1))));
  const x = g.add(g.matMul(rows, first!), bias);
  g.output(g.emit('Gemm', [x, g.transpose(second!, [1, 0])], { transB: 1 }), 'y');
  return g.build();
}

const program = (graph: Graph): Program => ({
  stages: [{ name: 'forward', graph, weights: runInputs(graph) }],
  state: [],
  feeds: [{ name: 'ids', type: 'int32', shape: [3] }],
  reads: ['y'],
});

async function run(graph: Graph): Promise<Float32Array> {
  const runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
  const loaded = await runtime.load(program(graph), external);
  const out = await loaded.run({ ids: new Int32Array([7, 99, 0]) }, ['y']);
  await runtime.dispose();
  return out['y'] as Float32Array;
}

describe('halves', () => {
  it('are held as they are stored where they would be large, with the same results', async () => {
    const [small, wide] = [asHeld(model(), 0), asHeld(model(), Infinity)];
    const types = [...small.constants.values()].filter((c) => sizeOf(c.shape) >= 4096).map((c) => c.type);
    expect(types).toEqual(['float16', 'float16', 'float16']);
    const bias = 4 * WIDTH;
    const weights = (graph: Graph): number => estimateMemory(program(graph)).weights;
    expect(weights(small)).toBeLessThan(file.byteLength + bias + 64);
    expect(weights(wide)).toBeGreaterThan(2 * file.byteLength);
    expect(await run(small)).toEqual(await run(wide));
    expect((await run(small)).every((x) => x === 0)).toBe(false);
  });

  it('widen only the rows that are taken of a table', () => {
    const { nodes, values } = asHeld(model(), 0);
    const casts = nodes.filter((n) => n.op === 'Cast').map((n) => values.get(n.outputs[0]!)!.shape);
    expect(casts).toEqual([
      [3, WIDTH],
      [WIDTH, WIDTH],
      [WIDTH, WIDTH],
    ]);
    expect(nodes.some((n) => n.op === 'Transpose')).toBe(false);
  });

  it('stay as a model of little size has them: float32', () => {
    expect([...asHeld(model()).constants.values()].every((c) => c.type !== 'float16')).toBe(true);
  });

  it('are made wide for a device that has none, in whatever layout', async () => {
    for (const [name, constant] of asHeld(model(), 0).constants) {
      if (constant.type !== 'float16') continue;
      const made = widened(constant);
      expect(made.type).toBe('float32');
      expect(widened(constant)).toBe(made);
      const plain = made.by ? [...made.by.constants.values()].find((c) => c.data.kind === 'external') : made;
      const bytes = await constantBytes(name, plain!, external);
      const { data } = plain!;
      const at = data.kind === 'external' ? data.offset / 2 : 0;
      const numbers = numbersOf({
        type: 'float32',
        shape: plain!.shape,
        data: new Float32Array(bytes.slice().buffer),
      });
      expect(numbers).toEqual([...halvesToNumbers(stored.subarray(at, at + numbers.length))]);
    }
  });
});
