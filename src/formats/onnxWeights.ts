/** @file Which nodes of a model multiply by a layer's weight, and the weight in torch's order. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Layer } from '#src/oft/types.ts';
import { type Model, ModelError, type ModelGraph, type Node } from '#src/onnx/model.ts';
import { evaluatePath, ModelScope, transposed, type Values, type WeightPath } from './onnxValues.ts';

const transparent = new Set(['Transpose', 'Cast', 'Identity', 'DequantizeLinear', 'Dropout']);

/** Follows a name back to a constant; undefined: none lies behind it. */
export function weightPath(scope: ModelScope, name: string): WeightPath | undefined {
  const nodes: Node[] = [];
  let at = name;
  for (;;) {
    if (scope.constant(at)) return { initializer: at, nodes: nodes.reverse() };
    const node = scope.producer(at);
    if (!node || node.domain !== '' || !transparent.has(node.op) || nodes.length > 16) return undefined;
    nodes.push(node);
    at = node.inputs[0] ?? '';
  }
}

/** The operator's weight has its outputs on the last axis. */
export const seesTransposed = (node: Node): boolean =>
  node.op === 'MatMul' || (node.op === 'Gemm' && intAttr(node, 'transB', 0) === 0);

/** The weight's shape where the layer's nodes see it. */
export const seenShape = (layer: Layer): number[] =>
  layer.kind === 'conv'
    ? [layer.out, layer.in / layer.groups, ...layer.kernel]
    : layer.transposed || layer.kind === 'embedding'
      ? [layer.in, layer.out]
      : [layer.out, layer.in];

/** Which of the node's inputs is the weight. */
export const weightInput = (node: Node): 0 | 1 => (node.op === 'Gather' ? 0 : 1);

export interface WeightUse {
  readonly scope: ModelScope;
  readonly node: Node;
  readonly path: WeightPath;
}

/** All nodes, in subgraphs too, that multiply by a layer's weight as its kind of layer does. */
export function weightUses(model: Model): (layer: Layer) => WeightUse[] {
  const uses = new Map<string, WeightUse[]>();
  const visit = (graph: ModelGraph, outer?: ModelScope): void => {
    const scope = new ModelScope(graph, outer);
    for (const node of graph.nodes) {
      for (const a of Object.values(node.attributes)) if (a.kind === 'graph') visit(a.value, scope);
      if (node.domain !== '' || !['MatMul', 'Gemm', 'Conv', 'Gather'].includes(node.op)) continue;
      const path = weightPath(scope, node.inputs[weightInput(node)] ?? '');
      if (!path) continue;
      const known = uses.get(path.initializer);
      if (known) known.push({ scope, node, path });
      else uses.set(path.initializer, [{ scope, node, path }]);
    }
  };
  visit(model.graph);
  return (layer) =>
    (uses.get(layer.initializer) ?? []).filter(
      ({ node }) =>
        node.op === layer.op && (layer.kind !== 'linear' || seesTransposed(node) === layer.transposed),
    );
}

/** A weight as its nodes see it → torch's order, and back: the transpose of a matrix either way. */
export function flipped(layer: Layer, data: Float32Array, way: 'to torch' | 'from torch'): Float32Array {
  if (layer.kind !== 'linear' || !layer.transposed) return data;
  const shape = way === 'to torch' ? [layer.in, layer.out] : [layer.out, layer.in];
  return Float32Array.from(
    transposed({ type: 'float32', shape, data: Float64Array.from(data) }, [1, 0]).data,
  );
}

/**
 * The base weights of a model in torch's order (linear [out, in], embedding [in, out], conv [out, in/groups, kernel…]), float32.
 * The function throws ModelError for a layer that is not in the model.
 */
export function torchWeights(model: Model): (layer: Layer) => Float32Array {
  const usesOf = weightUses(model);
  return (layer) => {
    const use = usesOf(layer)[0];
    if (!use)
      throw new ModelError(`The model has no weight for the layer ${layer.path} (${layer.initializer}).`);
    return flipped(layer, Float32Array.from(seenValues(layer, use).data), 'to torch');
  };
}

/** The weight's values where the node sees them, their shape checked. */
export function seenValues(layer: Layer, { scope, path, node }: WeightUse): Values {
  const values = evaluatePath(scope, path);
  if (values.shape.join() !== seenShape(layer).join())
    throw new ModelError(
      `${node.op} ${node.name} has a weight of shape [${values.shape.join()}], but layer ${layer.path} one of [${seenShape(layer).join()}]: the adapter belongs to another model.`,
    );
  return values;
}
