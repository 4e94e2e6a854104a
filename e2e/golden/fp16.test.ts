/** @file Models that ONNX Runtime's converter turned to half precision: in float32 they compute what the float32 model does with their weights. */
import { expect, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import type { Graph } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Attribute, Constant, Model, Node } from '#src/onnx/model.ts';
import { single } from '#src/onnx/single.ts';
import { type Tensor, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { expectNear, fixture, json, largest, tensors } from './testing/fixtures.ts';

/** The constants of a model by name: initializers, and Constant nodes by their output. */
function constantsOf({ graph }: Model): Map<string, Constant> {
  const found = new Map(graph.initializers);
  for (const { outputs, attributes } of graph.nodes)
    if (attributes.value?.kind === 'tensor') found.set(outputs[0]!, attributes.value.value);
  return found;
}

/** The float32 model with the numbers that the half-precision one has left. */
function withNumbersOf(model: Model, half: Model): Model {
  const rounded = constantsOf(half);
  const replaced = (name: string, c: Constant): Constant =>
    c.type === 'float32' && rounded.has(name) ? single(rounded.get(name)!) : c;
  const initializers = new Map([...model.graph.initializers].map(([name, c]) => [name, replaced(name, c)]));
  const nodes = model.graph.nodes.map((node): Node => {
    const { value } = node.attributes;
    if (value?.kind !== 'tensor') return node;
    const own: Attribute = { kind: 'tensor', value: replaced(node.outputs[0]!, value.value) };
    return { ...node, attributes: { ...node.attributes, value: own } };
  });
  return { ...model, graph: { ...model.graph, initializers, nodes } };
}

/** Outputs and the gradients of every float input and weight, for a cotangent of many values. */
async function gradients(graph: Graph, feeds: Readonly<Record<string, Tensor>>) {
  const g = builder(graph);
  const y = graph.outputs[0]!;
  const count = y.shape.reduce((n, d) => n * d, 1);
  const dy = g.constant(
    tensor(
      'float32',
      y.shape,
      Array.from({ length: count }, (_, i) => Math.sin(i)),
    ),
  );
  const wrt = [...graph.inputs, ...[...graph.constants.keys()].map((name) => g.value(name))].filter(
    (v) => v.type === 'float32' && v.shape.length > 0,
  );
  const found = backward(g, new Map([[y.name, dy]]), wrt);
  const outputs = found.flatMap((d, i) =>
    d ? [g.emit('Identity', [d], {}, { outputNames: [`gradient of ${wrt[i]!.name}`] })] : [],
  );
  return runGraph(g.build([...graph.outputs, ...outputs]), feeds);
}

test.each(['bert-cls-dyn18', 'resnet18-ts17', 'sd-unet-ts17'])('%s', async (name) => {
  const { dims = {} } = json(`zoo/${name}/case.json`) as { dims?: Record<string, number> };
  const half = decodeModel(fixture(`fp16/${name}.onnx`));
  expect([...half.graph.initializers.values()].some((c) => c.type === 'float16')).toBe(true);
  const graph = importGraph(half, dims);
  for (const v of graph.values.values()) expect(v.type, v.name).not.toBe('float16');
  const plain = importGraph(withNumbersOf(decodeModel(fixture(`zoo/${name}/model.onnx`)), half), dims);
  const paths = (g: Graph): string[] =>
    findLayers(g)
      .map((layer) => layer.path)
      .sort();
  // The converter appends its Casts, and with them other nodes change places.
  expect(paths(graph)).toEqual(paths(plain));

  const golden = tensors(`zoo/${name}/golden.safetensors`);
  const feeds = Object.fromEntries(graph.inputs.map((v) => [v.name, golden.get(`input.${v.name}`)!]));
  const [found, expected] = [await gradients(graph, feeds), await gradients(plain, feeds)];
  const shared = Object.keys(expected).filter((key) => key in found);
  expect(shared.length).toBeGreaterThan(10);
  for (const key of shared) {
    const want = expected[key]!;
    expectNear(key, found[key]!, want, 1e-5 * Math.max(1, largest(want)));
  }
});
