/** @file A model whose layers have whole weight differences added. */
import { flipped, seenShape } from '#src/formats/onnxWeights.ts';
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
  const replaced = new Map<string, string>();
  for (const layer of layers) {
    const difference = differences.get(layer.path);
    if (!difference || strength === 0) continue;
    const data = weights(layer).map((w, i) => w + strength * difference[i]!);
    const name = `${layer.initializer}/changed`;
    const shape = seenShape(layer);
    constants.set(name, constantOf({ type: 'float32', shape, data: flipped(layer, data, 'from torch') }));
    values.set(name, { name, type: 'float32', shape });
    for (const node of layer.nodes) replaced.set(node, name);
  }
  const nodes = graph.nodes.map((node) => {
    const name = replaced.get(node.name);
    return name === undefined
      ? node
      : { ...node, inputs: node.inputs.map((input, i) => (i === 1 ? name : input)) };
  });
  return { ...graph, nodes, constants, values };
}
