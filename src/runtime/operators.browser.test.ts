/** @file Operators on WebGPU (an emulated adapter): their numbers against PyTorch's, their element types against the table. */
import type { InferenceSession } from 'onnxruntime-web';
import { describe, expect, test } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import { encodeGraph } from '#src/graph/encode.ts';
import { prune } from '#src/graph/prune.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { DType } from '#src/onnx/model.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { builder } from '#src/ops/table.ts';
import { buildCase, type Case, distance } from '../../e2e/golden/ops/cases.ts';
import { oneOfEachOperator } from '../../e2e/golden/ops/kinds.ts';
import { openBackend } from './backend.ts';
import { predictedElsewhere } from './placement.ts';
import { createRuntime } from './runtime.ts';

const all = (await (await fetch(new URL('../../e2e/golden/ops/cases.json', import.meta.url))).json()) as {
  cases: readonly Case[];
};
const cases = depth(oneOfEachOperator(all.cases), all.cases);
const runtime = createRuntime({ prefer: 'webgpu', threads: 1 });

/** What stays on the CPU, and why. */
const onTheCpu: Readonly<Record<string, string>> = {
  Mod: 'the remainder of floats, which a − trunc(a/b)·b would not give exactly',
};
/** WGSL promises sines and cosines to 2⁻¹¹ only. */
const coarse = new Set(['Sin', 'Cos', 'Tan']);

/** Every case of an operator, forward and gradient. */
async function check(op: string): Promise<void> {
  for (const c of cases.filter((x) => x.op === op)) {
    const built = buildCase(c);
    const graph = prune(lowerGraph(built.graph));
    const program = await (
      await runtime
    ).load({
      stages: [{ name: c.name, graph, weights: [] }],
      state: [],
      feeds: graph.inputs,
      reads: graph.outputs.map((v) => v.name),
    });
    const elsewhere = program.placement().elsewhere.map((e) => e.op);
    expect(new Set(elsewhere), c.name).toEqual(new Set(op in onTheCpu ? [op] : []));
    if (!(op in onTheCpu)) expect(predictedElsewhere(graph), c.name).toEqual([]);
    const feeds = Object.fromEntries(graph.inputs.map((v) => [v.name, built.feeds[v.name]!.data]));
    const names = graph.outputs.map((v) => v.name);
    const out = await program.run(feeds, names);
    for (const name of names) {
      const error = distance(Array.from(out[name]!, Number), numbersOf(built.expected[name]!.values));
      expect(error, `${c.name}: ${name}`).toBeLessThan(coarse.has(op) ? 4e-4 : 1e-5);
    }
    await program.dispose();
  }
}

describe('give PyTorch’s outputs and gradients', () => {
  test.each([...new Set(cases.map((c) => c.op))])('%s', (op) => check(op));
});

const mask = (g: Builder): Value => g.constant(tensor('bool', [2, 3], [1, 0, 1, 0, 0, 1]));
const places = (g: Builder): Value => g.constant(tensor('int64', [2, 3], [0, 1, 1, 0, 0, 1]));
const rows = (g: Builder): Value => g.constant(tensor('int64', [2, 1], [1, 0]));
const axis = (g: Builder): Value => g.ints([1]);

const typed: Readonly<Record<string, (g: Builder, x: Value, y: Value) => Value>> = {
  Reshape: (g, x) => g.reshape(x, [3, 2]),
  Flatten: (g, x) => g.emit('Flatten', [x], { axis: 0 }),
  Unsqueeze: (g, x) => g.emit('Unsqueeze', [x, g.ints([0])]),
  Transpose: (g, x) => g.transpose(x, [1, 0]),
  Concat: (g, x, y) => g.concat([x, y, x, y, x, y, x, y, x, y], 0),
  Slice: (g, x) => g.slice(x, [2], [-4], [1], [-2]),
  Split: (g, x) => g.split(x, 1, [1, 2])[1]!,
  Expand: (g, x) => g.expand(x, [2, 2, 3]),
  Tile: (g, x) => g.emit('Tile', [x, g.ints([2, 1])]),
  Pad: (g, x) => g.emit('Pad', [x, g.ints([1, 0, 0, 1])], { mode: 'edge' }),
  Gather: (g, x) => g.emit('Gather', [x, g.ints([1, 0])]),
  GatherElements: (g, x) => g.emit('GatherElements', [x, places(g)]),
  GatherND: (g, x) => g.emit('GatherND', [x, rows(g)]),
  ScatterElements: (g, x, y) =>
    g.emit('ScatterElements', [x, g.slice(places(g), [0], [2], [1]), g.slice(y, [0], [2], [1])]),
  ScatterND: (g, x, y) => g.emit('ScatterND', [x, rows(g), y]),
  Where: (g, x, y) => g.where(mask(g), x, y),
  Equal: (g, x, y) => g.emit('Equal', [x, y]),
  Less: (g, x, y) => g.emit('Less', [x, y]),
  Trilu: (g, x) => g.emit('Trilu', [x]),
  Add: (g, x, y) => g.add(x, y),
  Mul: (g, x, y) => g.mul(x, y),
  Max: (g, x, y) => g.emit('Max', [x, y, x, y, x, y, x, y, x, y]),
  Mod: (g, x, y) => g.emit('Mod', [x, g.add(y, g.scalar(2, y.type))]),
  Neg: (g, x) => g.neg(x),
  Abs: (g, x) => g.emit('Abs', [x]),
  Relu: (g, x) => g.emit('Relu', [x]),
  Sign: (g, x) => g.emit('Sign', [x]),
  CumSum: (g, x) => g.emit('CumSum', [x, axis(g)]),
  ReduceSum: (g, x) => g.reduceSum(x, [1]),
  ReduceMax: (g, x) => g.emit('ReduceMax', [x, axis(g)]),
  ArgMax: (g, x) => g.emit('ArgMax', [x], { axis: 1 }),
  TopK: (g, x) => g.emitAll('TopK', [x, axis(g)], {}, { outputs: 2 })[0]!,
  MatMul: (g, x, y) => g.matMul(x, g.transpose(y, [1, 0])),
};
/** ONNX has no form of these for booleans or bytes. */
const numeric = new Set(
  'Less Add Mul Max Mod Neg Abs Relu Sign CumSum ReduceSum ReduceMax ArgMax TopK MatMul'.split(' '),
);

describe('run on element types as the table says', () => {
  const types: readonly DType[] = depth(['bool', 'int64'], ['int32', 'bool', 'uint8', 'int64']);
  const numbers: readonly DType[] = depth(['int64'], ['int32', 'int64']);
  test.each(Object.keys(typed))('%s', async (op) => {
    const { ort, device } = await openBackend({ prefer: 'webgpu', threads: 1 });
    for (const type of numeric.has(op) ? numbers : types) {
      const g = builder();
      const [x, y] = ['x', 'y'].map((name) => g.input(name, type, [2, 3])) as [Value, Value];
      g.output(typed[op]!(g, x, y), 'out');
      const graph = lowerGraph(g.build());
      const predicted = predictedElsewhere(graph).length === 0;
      const model = encodeGraph(graph, { weightsAsInputs: new Set() });
      const gpu = { name: 'webgpu', preferredLayout: 'NCHW', device: device! } as const;
      const session = await ort.InferenceSession.create(model, {
        executionProviders: [gpu],
        logSeverityLevel: 4,
        extra: { session: { disable_cpu_ep_fallback: '1' } },
      }).catch(() => undefined);
      expect(session !== undefined, `${op} of ${type} on the GPU`).toBe(predicted);
      if (!session) continue;
      const feeds = Object.fromEntries(
        session.inputNames.map((name) => {
          const values = name === 'x' ? [0, 1, 1, 0, 1, 0] : [1, 1, 0, 0, 1, 1];
          return [
            name,
            new ort.Tensor(type as 'int32', tensor(type, [2, 3], values).data as Int32Array, [2, 3]),
          ];
        }),
      );
      const onWasm = (from: Graph): Promise<InferenceSession> =>
        ort.InferenceSession.create(encodeGraph(from, { weightsAsInputs: new Set() }), {
          executionProviders: ['wasm'],
          logSeverityLevel: 4,
        });
      // Some forms, such as a Trilu of bytes, only run lowered.
      const wasm = await onWasm(g.build()).catch(() => onWasm(graph));
      const [found, expected] = [await session.run(feeds), await wasm.run(feeds)];
      const read = (r: typeof found): number[] => Array.from(r['out']!.data as ArrayLike<number>, Number);
      expect(read(found), `${op} of ${type}`).toEqual(read(expected));
      await session.release();
      await wasm.release();
    }
  });
});
