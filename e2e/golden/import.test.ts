/** @file The built-in model's networks as static graphs: nothing dynamic left, the same numbers as PyTorch's. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { listDims } from '#src/graph/bind.ts';
import type { Graph } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Model } from '#src/onnx/model.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { expectNear, json, largest, tensors } from './testing/fixtures.ts';

const emoji = (part: string): Model => decodeModel(readFileSync(`public/models/emoji/${part}/model.onnx`));
const counts = (graph: Graph): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const { op } of graph.nodes) found[op] = (found[op] ?? 0) + 1;
  return found;
};
const as = (type: 'int32' | 'int64', t: Tensor): Tensor => tensor(type, t.shape, numbersOf(t));

/** Operators that only compute shapes, or compute them by what a static graph should know. */
const dynamic = ['Shape', 'Size', 'ConstantOfShape', 'Range', 'Constant', 'If', 'Where', 'Equal', 'NonZero'];

describe('the UNet', () => {
  const model = emoji('unet');
  const graph = importGraph(model, { batch: 2 });
  const golden = tensors('emoji/unet.safetensors');

  it('has one dimension to bind', () => {
    expect(listDims(model)).toEqual([
      { name: 'batch', inputs: ['sample', 'timestep', 'encoder_hidden_states'] },
    ]);
  });

  it('has no shape arithmetic left', () => {
    const found = counts(graph);
    for (const op of dynamic) expect(found[op], op).toBeUndefined();
    expect(found).toMatchObject({
      Conv: 50,
      Gemm: 13,
      MatMul: 98,
      Softmax: 14,
      InstanceNormalization: 30,
      Resize: 2,
    });
    expect(found.Gather).toBeUndefined();
    // Attention's empty masks and resnets' scale of 1 are gone; 3,309 nodes were there.
    expect(found.Div).toBe(7);
    expect(graph.nodes.length).toBeLessThan(800);
    for (const v of graph.values.values())
      for (const d of v.shape) expect(Number.isInteger(d) && d > 0, v.name).toBe(true);
  });

  it('keeps every weight of the file under its name', () => {
    const weights = [...model.graph.initializers]
      .filter(([, c]) => c.shape.length >= 2)
      .map(([name]) => name);
    expect(weights.filter((name) => !graph.constants.has(name))).toEqual([]);
  });

  test.each(['int64', 'int32'] as const)('gives PyTorch’s outputs with %s timesteps', async (type) => {
    const chosen = type === 'int32' ? int32Inputs(graph) : graph;
    const out = await runGraph(chosen, {
      sample: golden.get('input.sample')!,
      timestep: as(type, golden.get('input.timestep')!),
      encoder_hidden_states: golden.get('input.encoder_hidden_states')!,
    });
    const want = golden.get('output.out_sample')!;
    expectNear('out_sample', out.out_sample!, want, 1e-4 + 1e-4 * largest(want));
  });
});

describe('the text encoder', () => {
  const golden = tensors('emoji/text_encoder.safetensors');
  const graph = importGraph(emoji('text_encoder'), { batch: golden.get('input_ids')!.shape[0]! });

  it('has no shape arithmetic left', () => {
    const found = counts(graph);
    for (const op of dynamic) expect(found[op], op).toBeUndefined();
    // Token embeddings, position embeddings, and the pooled token.
    expect(found.Gather).toBeLessThanOrEqual(3);
  });

  test.each(['int64', 'int32'] as const)('gives PyTorch’s outputs with %s tokens', async (type) => {
    const chosen = type === 'int32' ? int32Inputs(graph) : graph;
    const out = await runGraph(chosen, { input_ids: as(type, golden.get('input_ids')!) });
    const want = golden.get('last_hidden_state')!;
    expectNear('last_hidden_state', out.last_hidden_state!, want, 1e-4 + 1e-4 * largest(want));
  });
});

interface Case {
  readonly dims: Readonly<Record<string, number>>;
  readonly inputs: readonly { readonly name: string }[];
  readonly outputs: readonly { readonly name: string }[];
  readonly tolerance: { readonly rtol: number; readonly atol: number };
}

test.each(['mlp-ts14', 'resnet18-ts17', 'vit-hf-ts14'])('%s gives PyTorch’s outputs', async (name) => {
  const { dims, inputs, outputs, tolerance } = json(`zoo/${name}/case.json`) as Case;
  const golden = tensors(`zoo/${name}/golden.safetensors`);
  const graph = importGraph(decodeModel(readFileSync(`e2e/golden/zoo/${name}/model.onnx`)), dims);
  const out = await runGraph(
    graph,
    Object.fromEntries(inputs.map((i) => [i.name, golden.get(`input.${i.name}`)!])),
  );
  for (const o of outputs) {
    const want = golden.get(`output.${o.name}`)!;
    expectNear(o.name, out[o.name]!, want, tolerance.atol + tolerance.rtol * largest(want));
  }
});
