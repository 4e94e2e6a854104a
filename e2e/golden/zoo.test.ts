/** @file Files of real exporters: outputs, and gradients of every float input and weight, against PyTorch's in float64. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import type { Value } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import.ts';
import { builder, operatorKey } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { expectNear, fixture, json, largest, tensors } from './testing/fixtures.ts';

interface Case {
  readonly dims: Readonly<Record<string, number>>;
  readonly inputs: readonly { readonly name: string }[];
  readonly outputs: readonly { readonly name: string }[];
  readonly tolerance: { readonly rtol: number; readonly atol: number };
}

const folders = readdirSync(new URL('zoo', import.meta.url));

/** Names of a golden file's tensors behind a prefix. */
const under = (golden: ReadonlyMap<string, Tensor>, prefix: string): string[] =>
  [...golden.keys()].filter((k) => k.startsWith(prefix)).map((k) => k.slice(prefix.length));

describe.each(folders)('%s', (name) => {
  const { dims, inputs, outputs, tolerance } = json(`zoo/${name}/case.json`) as Case;
  const golden = tensors(`zoo/${name}/golden.safetensors`);
  const model = decodeModel(fixture(`zoo/${name}/model.onnx`));
  const graph = importGraph(model, dims);

  test('gives PyTorch’s outputs and gradients', async () => {
    const g = builder(graph);
    const feeds = Object.fromEntries(inputs.map((i) => [i.name, golden.get(`input.${i.name}`)!]));
    const cotangents = new Map<string, Value>();
    for (const o of graph.outputs) {
      const t = golden.get(`cotangent.${o.name}`);
      if (!t) continue;
      feeds[`cotangent.${o.name}`] = t;
      cotangents.set(o.name, g.input(`cotangent.${o.name}`, o.type, o.shape));
    }
    // An optimiser may have merged or transposed a weight: then the file no longer holds it under its name.
    const weights = under(golden, 'grad.weight.').filter((w) => model.graph.initializers.has(w));
    const wanted = [
      ...under(golden, 'grad.input.').map((n) => ({ key: `grad.input.${n}`, value: g.value(n) })),
      ...weights.map((n) => ({ key: `grad.weight.${n}`, value: g.value(n) })),
    ];
    expect(wanted.length).toBeGreaterThan(0);
    const found = backward(
      g,
      cotangents,
      wanted.map((w) => w.value),
    );
    const grads = found.map((v, i) => g.emit('Identity', [v!], {}, { outputNames: [wanted[i]!.key] }));
    const results = await runGraph(g.build([...graph.outputs, ...grads]), feeds);
    const near = (what: string, got: Tensor): void => {
      const want = golden.get(what)!;
      expectNear(what, got, want, tolerance.atol + tolerance.rtol * largest(want));
    };
    for (const o of outputs) near(`output.${o.name}`, results[o.name]!);
    for (const { key } of wanted) near(key, results[key]!);
  });
});

test('the fused files hold what they are there for', () => {
  const ops = (name: string): Set<string> =>
    new Set(decodeModel(fixture(`zoo/${name}/model.onnx`)).graph.nodes.map(operatorKey));
  for (const op of ['Attention', 'EmbedLayerNormalization', 'SkipLayerNormalization', 'BiasGelu'])
    expect(ops('bert-optimum14-fused')).toContain(`com.microsoft::${op}`);
  for (const op of ['MatMulNBits', 'FusedMatMul', 'QuickGelu'])
    expect(ops('llama-int4-nbits')).toContain(`com.microsoft::${op}`);
  expect(ops('llama-int4-qdq21')).toContain('DequantizeLinear');
  expect(ops('vit-timm-dyn23')).toContain('Attention');
});
