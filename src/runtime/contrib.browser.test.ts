/** @file Fused operators and those of new opsets on WebGPU (an emulated adapter): each kind of case's outputs and gradients are wasm's numbers. */
import { describe, expect, test } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import { prune } from '#src/graph/prune.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { type Case, counted, distance, withGradients } from '../../e2e/golden/ops/contribCases.ts';
import { oneOfEachOperator } from '../../e2e/golden/ops/kinds.ts';
import { predictedElsewhere } from './placement.ts';
import { createRuntime } from './runtime.ts';
import type { Runtime } from './types.ts';

const all = (await (await fetch(new URL('../../e2e/golden/ops/contrib.json', import.meta.url))).json()) as {
  cases: readonly Case[];
};
const cases = depth(oneOfEachOperator(all.cases), all.cases);
const gpu = createRuntime({ prefer: 'webgpu', threads: 1 });
const cpu = createRuntime({ prefer: 'wasm', threads: 1 });

async function run(runtime: Runtime, graph: Graph, name: string, feeds: Record<string, TypedArray>) {
  const reads = graph.outputs.map((v) => v.name);
  const program = await runtime.load({
    stages: [{ name, graph, weights: [] }],
    state: [],
    feeds: graph.inputs,
    reads,
  });
  const out = await program.run(feeds, reads);
  const elsewhere = program.placement().elsewhere.map((e) => e.op);
  await program.dispose();
  return { out, elsewhere };
}

async function check(c: Case): Promise<void> {
  const built = withGradients(c);
  const graph = prune(lowerGraph(built.graph));
  const feeds = Object.fromEntries(graph.inputs.map((v) => [v.name, built.feeds[v.name]!.data]));
  const narrow = Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      const array = feeds[name]!;
      return [name, type === 'int32' ? Int32Array.from(array as ArrayLike<number>, Number) : array];
    }),
  );
  const found = await run(await gpu, graph, c.name, narrow);
  expect(new Set(found.elsewhere), c.name).toEqual(new Set());
  expect(predictedElsewhere(graph), c.name).toEqual([]);
  const expected = await run(await cpu, graph, c.name, narrow);
  for (const { name, shape } of graph.outputs) {
    const [a, b] = [found.out[name]!, expected.out[name]!].map((v) => {
      const values = Array.from(v as ArrayLike<number>, Number);
      return name === 'y0' ? counted(c, values, shape) : values;
    }) as [number[], number[]];
    expect(distance(a, b), `${c.name}: ${name}`).toBeLessThan(1e-5);
  }
}

const families = [...new Set(cases.map((c) => (c.domain === '' ? c.op : `${c.domain}::${c.op}`)))];

describe('give wasm’s outputs and gradients, every node on the GPU', () => {
  test.each(families)('%s', { timeout: 120_000 }, async (family) => {
    for (const c of cases) if ((c.domain === '' ? c.op : `${c.domain}::${c.op}`) === family) await check(c);
  });
});
