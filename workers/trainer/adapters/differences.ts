/** @file A model whose layers have whole weight differences added. */
import { flipped, weightInput } from '#src/formats/onnx/onnxWeights.ts';
import { apart } from '#src/graph/names.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Layer } from '#src/oft/types.ts';
import { constantOf } from '#src/onnx/tensor.ts';

/**
 * The graph with W + s·(W′ − W) in every layer that has a difference, in new constants that the layer's nodes read instead.
 * @param graph the model, bound
 * @param weights of a layer, in torch's order
 * @param differences by layer path, in torch's order
 */
export function withDifferences(
  graph: Graph,
  weights: (layer: Layer) => Float32Array,
  layers: readonly Layer[],
  differences: ReadonlyMap<string, Float32Array>,
  strength: number,
): Graph {
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  const changed = new Map<string, readonly [Layer, Float32Array]>();
  for (const layer of layers) {
    const difference = differences.get(layer.path);
    if (!difference || strength === 0) continue;
    const data = weights(layer).map((w, i) => w + strength * difference[i]!);
    for (const node of layer.nodes) changed.set(node, [layer, flipped(layer, data, 'from torch')]);
  }
  const nodes = graph.nodes.map((node) => {
    const own = changed.get(node.name);
    if (!own) return node;
    const [layer, data] = own;
    const at = weightInput(layer);
    const name = apart(`${layer.initializer}/changed`, values.keys());
    const { shape } = graph.values.get(node.inputs[at]!)!;
    constants.set(name, constantOf({ type: 'float32', shape, data }));
    values.set(name, { name, type: 'float32', shape });
    return { ...node, inputs: node.inputs.map((input, i) => (i === at ? name : input)) };
  });
  return { ...graph, nodes, constants, values };
}
