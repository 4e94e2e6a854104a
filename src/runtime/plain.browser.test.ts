/** @file Operators without cases of PyTorch or ONNX Runtime, on WebGPU (an emulated adapter) as on wasm. */
import { expect, test } from 'vitest';
import { prune } from '#src/graph/prune.ts';
import type { Graph } from '#src/graph/types.ts';
import { builder } from '#src/ops/table.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { predictedElsewhere } from './placement.ts';
import { createRuntime } from './runtime.ts';
import { plainOperators } from './testing/plainOperators.ts';
import type { Runtime } from './types.ts';

const gpu = createRuntime({ prefer: 'webgpu', threads: 1 });
const cpu = createRuntime({ prefer: 'wasm', threads: 1 });

async function run(
  runtime: Runtime,
  graph: Graph,
  feeds: Parameters<Awaited<ReturnType<Runtime['load']>>['run']>[0],
) {
  const program = await runtime.load({
    stages: [{ name: 'plain', graph, weights: [] }],
    state: [],
    feeds: graph.inputs,
    reads: ['out'],
  });
  const { out } = await program.run(feeds, ['out']);
  const elsewhere = program.placement().elsewhere.map((e) => e.op);
  await program.dispose();
  return { values: Array.from(out as ArrayLike<number>, Number), elsewhere };
}

test.each(Object.keys(plainOperators))('%s', async (op) => {
  const { inputs, build, onTheCpu } = plainOperators[op]!;
  const g = builder();
  const values = inputs.map(({ type, shape }, i) => g.input(`x${i}`, type, shape));
  g.output(build(g, values), 'out');
  const graph = prune(lowerGraph(g.build()));
  const feeds = Object.fromEntries(inputs.map(({ data }, i) => [`x${i}`, data]));
  const [found, expected] = [await run(await gpu, graph, feeds), await run(await cpu, graph, feeds)];
  expect(found.elsewhere).toEqual(onTheCpu === undefined ? [] : [op]);
  expect(predictedElsewhere(graph).map((e) => e.op)).toEqual(onTheCpu === undefined ? [] : [op]);
  expect(found.values.length).toBe(expected.values.length);
  found.values.forEach((x, i) => expect(x).toBeCloseTo(expected.values[i]!, 5));
});
