/**
 * @file Quantised files of onnxruntime.quantization and of ONNX Runtime's fusions, imported in float: outputs and gradients are PyTorch's over the
 * dequantised weights; ONNX Runtime's own output differs from them by no more than its rounding can do.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { writeMergedOnnx } from '#src/formats/onnx/mergedOnnx.ts';
import type { Graph } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import { reachOf } from '#src/oft/preflight/obstacles.ts';
import { hostRotations } from '#src/oft/rotation/hostRotation.ts';
import { parameterLayout, readParameters } from '#src/oft/rotation/parameters.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { numbersOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { isRounded } from '#src/ops/integers/floatForm.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { builder } from '#src/ops/table.ts';
import { compileForward } from '#src/program/forward.ts';
import { expectNear, fixture, largest, tensors } from './testing/fixtures.ts';

const golden = tensors('integer/integer.safetensors');
const files = readdirSync(fileURLToPath(new URL('integer', import.meta.url)))
  .filter((name) => name.endsWith('.onnx'))
  .map((name) => name.slice(0, -5));
const of = (name: string, what: string): Tensor => golden.get(`${name}/${what}`)!;
const opened = (name: string): Graph => importGraph(decodeModel(fixture(`integer/${name}.onnx`)));
const feeds = (name: string, graph: Graph): Record<string, Tensor> =>
  Object.fromEntries(graph.inputs.map((v) => [v.name, of(name, v.name)]));

const blocksOf = (out: number) =>
  [4, 3, 5, 2].flatMap((size) => (out % size === 0 ? [{ count: out / size, size }] : []))[0]!;

/** The file as it is, in ONNX Runtime itself. */
async function runFile(bytes: Uint8Array, given: Record<string, Tensor>, y: string): Promise<Tensor> {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'disabled',
  });
  const results = await session.run(
    Object.fromEntries(
      Object.entries(given).map(([key, t]) => [
        key,
        new ort.Tensor(t.type as 'float32', t.data as Float32Array, [...t.shape]),
      ]),
    ),
  );
  await session.release();
  const { dims, data } = results[y]!;
  return { type: 'float32', shape: [...dims], data: data as Float32Array };
}

/** Gemm's weight may lie as a MatMul's. */
function transposed({ shape: [rows, columns], ...t }: Tensor): Tensor {
  const from = numbersOf({ ...t, shape: [] });
  const at = (i: number): number => from[(i % rows!) * columns! + Math.floor(i / rows!)]!;
  return tensor(
    'float32',
    [columns!, rows!],
    from.map((_, i) => at(i)),
  );
}

/** Gradients of Σ cos(k)·y_k by x and by what the layers multiply by. */
async function gradients(name: string, graph: Graph): Promise<ReadonlyMap<string, Tensor>> {
  const g = builder(graph);
  const y = g.value(graph.outputs[0]!.name);
  const weights = Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.cos(i));
  const layers = findLayers(graph);
  const seen = layers.map((l) => {
    const node = graph.nodes.find((n) => n.name === l.nodes[0])!;
    return [`dw.${l.path}.weight`, g.value(node.inputs[l.weightInput ?? 1]!)] as const;
  });
  const x = g.value('x');
  const wanted = [...(x.type === 'float32' ? [['dx', x] as const] : []), ...seen];
  const found = backward(
    g,
    new Map([[y.name, g.constant(tensor('float32', y.shape, weights))]]),
    wanted.map(([, v]) => v),
  );
  const outputs = found.flatMap((v) => (v ? [v] : []));
  const out = await runGraph(g.build(outputs), feeds(name, graph));
  return new Map(wanted.flatMap(([key], i) => (found[i] ? [[key, out[found[i].name]!]] : [])));
}

/** By number of all outputs: whether it is ONNX Runtime’s own, with rounding kept. */
const equal: boolean[] = [];

describe.each(files)('%s', (name) => {
  it('gives what PyTorch gives', async () => {
    const graph = opened(name);
    const got = (await runGraph(graph, feeds(name, graph)))[graph.outputs[0]!.name]!;
    expectNear('y', got, of(name, 'float'), 1e-5 * largest(of(name, 'float')));
    // Half a step at every place that rounds, to first order; a quarter more for the curvature.
    const bound = numbersOf(of(name, 'bound'));
    const native = numbersOf(of(name, 'y'));
    const beyond = numbersOf(got).filter((v, i) => Math.abs(v - native[i]!) > 1.25 * bound[i]! + 1e-6);
    expect(beyond).toEqual([]);
  });

  it('gives ONNX Runtime’s own output where rounding is kept', async () => {
    const model = decodeModel(fixture(`integer/${name}.onnx`));
    const graph = importGraph({ ...model, rounding: 'keep' });
    const got = (await runGraph(graph, feeds(name, graph)))[graph.outputs[0]!.name]!;
    const native = of(name, 'y');
    // A sum beside the middle of two whole numbers may be rounded to the other: a step at places, which is twice what half a step can do.
    const bound = numbersOf(of(name, 'bound'));
    expectNear('y', got, native, 1e-6 * largest(native), (i) => 2.5 * bound[i]!);
    const near = numbersOf(got).map((v, i) => Math.abs(v - numbersOf(native)[i]!) <= 1e-6 * largest(native));
    equal.push(...near);
    expect(reachOf(graph, findLayers(graph)).every((reach) => reach === 'turns')).toBe(true);
  });

  it('has the float model’s gradients', async () => {
    const found = await gradients(name, opened(name));
    for (const [key, got] of found) {
      const want = of(name, key);
      const turned = got.shape.join() === want.shape.join() ? got : transposed(got);
      expectNear(key, turned, want, 1e-4 * largest(want));
    }
    const layers = [...golden.keys()].filter((k) => k.startsWith(`${name}/dw.`) && k.endsWith('.weight'));
    expect(
      [...found.keys()]
        .filter((k) => k !== 'dx')
        .map((k) => `${name}/${k}`)
        .sort(),
    ).toEqual(layers.sort());
  });

  it('is merged into a float file that ONNX Runtime runs', async () => {
    const model = decodeModel(fixture(`integer/${name}.onnx`));
    const graph = importGraph(model);
    const planned = findLayers(graph).map((l) => plannedLayer(l, defaultSettings, blocksOf(l.out)));
    const layout = parameterLayout(planned);
    const theta = Float32Array.from({ length: layout.size }, (_, i) => Math.sin(i + 1) / 4);
    const { stages, feeds: wanted } = compileForward({ graph, layout });
    const rotations = hostRotations(layout, theta);
    const turns = wanted.flatMap(({ name: key, shape }) =>
      rotations[key] ? [[key, { type: 'float32' as const, shape, data: rotations[key] }] as const] : [],
    );
    const turned = await runGraph(stages[0]!.graph, { ...feeds(name, graph), ...Object.fromEntries(turns) });
    const [file] = writeMergedOnnx(readParameters(layout, theta), { model });
    const y = graph.outputs[0]!.name;
    const merged = await runFile(file!.bytes, feeds(name, graph), y);
    expectNear('merged', merged, turned[y]!, 2e-5 * largest(turned[y]!));
    if (planned.length > 0) expect(numbersOf(merged)).not.toEqual(numbersOf(of(name, 'float')));
    expect(isRounded(decodeModel(file!.bytes).graph)).toBe(false);
  });
});

it('hardly ever is a sum rounded to the other side', () => {
  expect(equal.length).toBeGreaterThan(500);
  expect(equal.filter((x) => !x).length / equal.length).toBeLessThan(0.02);
});
