/**
 * @file Layers whose weight reaches its multiplication by a detour (scaled, joined, cut out, quantised, on the left): found under a name that says
 * something, turned as LyCORIS turns the effective weight, with one gradient by all routes, merged into the file.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { writeMergedOnnx } from '#src/formats/onnx/mergedOnnx.ts';
import { torchWeights } from '#src/formats/onnx/onnxWeights.ts';
import type { Graph } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Model } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor } from '#src/onnx/tensor.ts';
import { hostRotations } from '#src/oft/rotation/hostRotation.ts';
import { insertAdapters } from '#src/oft/insertion/insert.ts';
import { examineLayers, findLayers, noLayerWords } from '#src/oft/layers/layers.ts';
import {
  type Layout,
  parameterLayout,
  readParameters,
  writeParameters,
} from '#src/oft/rotation/parameters.ts';
import { defaultSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import { emitRotations } from '#src/oft/rotation/rotations.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { graphOf, model as modelOf, n, ramp, value } from '#src/ops/testing/models.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { builder } from '#src/ops/table.ts';
import { compileForward } from '#src/program/forward.ts';
import type { Route } from '#src/oft/insertion/cost.ts';
import { expectNear, fixture, tensors } from './testing/fixtures.ts';

const golden = tensors('detours/detours.safetensors');
const files = readdirSync(fileURLToPath(new URL('detours', import.meta.url)))
  .filter((name) => name.endsWith('.onnx') && golden.has(`${name.slice(0, -5)}/y`))
  .map((name) => name.slice(0, -5));

const opened = (name: string): { model: Model; graph: Graph } => {
  const model = decodeModel(fixture(`detours/${name}.onnx`));
  return { model, graph: importGraph(model) };
};
const of = (name: string, what: string) => golden.get(`${name}/${what}`)!;

/** Two blocks of 4 over 8 outputs, as LyCORIS stores them. */
function adapted(name: string, graph: Graph): { layout: Layout; theta: Float32Array } {
  const layers = findLayers(graph);
  expect(layers.map((l) => [l.in, l.out])).toEqual([[6, 8]]);
  const layout = parameterLayout([plannedLayer(layers[0]!, defaultSettings, { count: 2, size: 4 })]);
  const blocks = Float32Array.from(numbersOf(of(name, 'blocks')));
  return { layout, theta: writeParameters(layout, new Map([[layers[0]!.path, { blocks }]])) };
}

async function turned(name: string, graph: Graph, layout: Layout, theta: Float32Array): Promise<number[]> {
  const { stages, feeds } = compileForward({ graph, layout });
  const rotations = hostRotations(layout, theta);
  const fed = feeds.flatMap(({ name: key, shape }) =>
    rotations[key] ? [[key, { type: 'float32', shape, data: rotations[key] }] as const] : [],
  );
  const out = await runGraph(stages[0]!.graph, { x: of(name, 'x'), ...Object.fromEntries(fed) });
  return numbersOf(out['y']!);
}

/** Σ cos(k)·y_k and its gradient by θ. */
async function gradient(name: string, graph: Graph, layout: Layout, theta: Float32Array, route: Route) {
  const g = builder();
  g.startFrom(graph);
  const given = g.input('theta', 'float32', [layout.size]);
  const { layers, segments } = emitRotations(g, layout, given, { rounds: 12 });
  insertAdapters(g, graph, layout, layers, route);
  const y = g.value('y');
  const weights = Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.cos(i));
  const cotangent = g.constant(tensor('float32', y.shape, weights));
  const [dTheta] = backward(g, new Map([[y.name, cotangent]]), segments);
  const out = await runGraph(g.build([dTheta!]), {
    x: of(name, 'x'),
    [given.name]: tensor('float32', [layout.size], theta),
  });
  return numbersOf(out[dTheta!.name]!);
}

describe.each(files)('%s', (name) => {
  const { model, graph } = opened(name);

  it('turns as with LyCORIS, by name of the module', async () => {
    const { layout, theta } = adapted(name, graph);
    const still = await turned(name, graph, layout, new Float32Array(theta.length));
    expectNear('y', tensor('float32', [4, 8], still), of(name, 'y'), 1e-5);
    const y = await turned(name, graph, layout, theta);
    expectNear('turned', tensor('float32', [4, 8], y), of(name, 'turned'), 1e-5);
    const named = ['weight-norm', 'concat', 'slice', 'split', 'gather', 'int8-cast-mul', 'sliced-and-scaled'];
    if (named.includes(name)) expect(layout.planned[0]!.layer.path).toBe('fc');
  });

  it('has one gradient by all routes, that of central differences', async () => {
    const { layout, theta } = adapted(name, graph);
    const [byWeight, ...others] = await Promise.all(
      (['weight', 'gram', 'activation'] as const).map((route) => gradient(name, graph, layout, theta, route)),
    );
    const shape = [layout.size];
    for (const other of others)
      expectNear('routes', tensor('float32', shape, other), tensor('float32', shape, byWeight!), 2e-5);
    const along = Float32Array.from(theta, (_, i) => Math.sin(3 * i + 1));
    const at = async (e: number): Promise<number> => {
      const y = await turned(
        name,
        graph,
        layout,
        theta.map((t, i) => t + e * along[i]!),
      );
      return y.reduce((sum, x, i) => sum + Math.cos(i) * x, 0);
    };
    const numeric = ((await at(5e-3)) - (await at(-5e-3))) / 1e-2;
    const own = byWeight!.reduce((sum, d, i) => sum + d * along[i]!, 0);
    expect(Math.abs(own - numeric)).toBeLessThan(2e-3 * Math.max(1, Math.abs(numeric)));
  });

  it('is merged into the file, in which a weight of few bits stays one and any other becomes a plain one', async () => {
    const { layout, theta } = adapted(name, graph);
    const [file] = writeMergedOnnx(readParameters(layout, theta), { model });
    const merged = decodeModel(file!.bytes);
    const out = await runGraph(importGraph(merged), { x: of(name, 'x') });
    expectNear('merged', tensor('float32', [4, 8], numbersOf(out['y']!)), of(name, 'turned'), 2e-5);
    const few = [...model.graph.initializers.values()].some(
      (c) => /^u?int[48]$/.test(c.type) && c.shape.length > 1,
    );
    expect(findLayers(importGraph(merged))[0]!.made !== undefined).toBe(few);
    const base = torchWeights(model)(layout.planned[0]!.layer);
    expect(base).toHaveLength(48);
  });
});

it('finds the 4-bit output layer that shares the table of its embedding behind a Reshape', () => {
  const [, head] = findLayers(importGraph(decodeModel(fixture('detours/tied-nbits.onnx'))));
  expect(head).toMatchObject({ path: 'Q', in: 32, out: 24, nodes: ['/lm_head/MatMul_Quant'] });
});

describe('what is no layer is named with its reason', () => {
  const x = [value('x', 'float32', [2, 4])];
  const said = (graph: Graph): string => noLayerWords(examineLayers(graph).others);

  it.each([
    [
      'a table of cosines',
      [n('Cos', ['w'], ['t']), n('MatMul', ['x', 't'], ['y'])],
      /MatMul.*table that the graph computes/,
    ],
    [
      'a nonlinear function of a weight',
      [n('Exp', ['w'], ['t']), n('MatMul', ['x', 't'], ['y'])],
      /MatMul.*computed by Exp/,
    ],
    ['several matrices', [n('MatMul', ['x', 'many'], ['y'])], /MatMul.*3 matrices at once/],
    [
      'a stretched vector',
      [n('Expand', ['row', 'shape'], ['t']), n('MatMul', ['x', 't'], ['y'])],
      /MatMul.*Expand/,
    ],
  ] as const)('%s', (_, nodes, words) => {
    const stored = {
      w: ramp(4, 4),
      many: ramp(3, 4, 4),
      row: ramp(1, 4),
      shape: tensor('int64', [2], [4, 4]),
    };
    const graph = importGraph(modelOf(graphOf([...nodes], stored, x, ['y'])));
    expect(findLayers(graph)).toEqual([]);
    expect(said(graph)).toMatch(words);
  });

  it('numbers pieces of one tensor, and tells the second layout of a shared weight', () => {
    const cut = {
      a: tensor('int64', [1], [0]),
      b: tensor('int64', [1], [4]),
      c: tensor('int64', [1], [8]),
      one: tensor('int64', [1], [1]),
    };
    const nodes = [
      n('Slice', ['p', 'a', 'b', 'one'], ['p0']),
      n('Slice', ['p', 'b', 'c', 'one'], ['p1']),
      n('MatMul', ['x', 'p0'], ['h0']),
      n('MatMul', ['h0', 'p1'], ['h1']),
      n('MatMul', ['h1', 'w'], ['h2']),
      n('Transpose', ['w'], ['wt'], { perm: [1, 0] }),
      n('MatMul', ['h2', 'wt'], ['y']),
    ].map((node) => ({ ...node, name: '' }));
    const graph = importGraph(
      modelOf(graphOf(nodes, { ...cut, 'qkv.weight': ramp(4, 8), p: ramp(4, 8), w: ramp(4, 4) }, x, ['y'])),
    );
    const { layers, others } = examineLayers(graph);
    expect(layers.map((l) => l.path)).toEqual(['p.0', 'p.1', 'w']);
    expect(others).toEqual([]);
  });
});
