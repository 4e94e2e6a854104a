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

/** What kind of layer an operator is, ONNX Runtime's fused ones included. */
const operatorOf: Readonly<Record<string, Layer['op']>> = {
  '::MatMul': 'MatMul',
  '::Gemm': 'Gemm',
  '::Conv': 'Conv',
  '::Gather': 'Gather',
  'com.microsoft::FusedMatMul': 'MatMul',
  'com.microsoft::TransposeMatMul': 'MatMul',
  'com.microsoft::FusedGemm': 'Gemm',
  'com.microsoft::FusedConv': 'Conv',
  // Queries, keys and values in one product; its weight lies as a MatMul's.
  'com.microsoft::Attention': 'MatMul',
};

/** The node's weight has its outputs on the last axis. */
const seesTransposed = (node: Node): boolean =>
  node.op === 'MatMul' || node.op === 'Attention' || intAttr(node, 'transB', 0) === 0;

const shapeSeen = (layer: Layer, transposedThere: boolean): number[] =>
  layer.kind === 'conv'
    ? [layer.out, layer.in / layer.groups, ...layer.kernel]
    : layer.kind === 'embedding' || transposedThere
      ? [layer.in, layer.out]
      : [layer.out, layer.in];

/** The weight's shape where the layer's nodes see it, as imported. */
export const seenShape = (layer: Layer): number[] => shapeSeen(layer, layer.transposed);

/** Which of the node's inputs is the weight. */
export const weightInput = (node: Node): 0 | 1 => (node.op === 'Gather' ? 0 : 1);

export interface WeightUse {
  readonly scope: ModelScope;
  readonly node: Node;
  readonly path: WeightPath;
}

/**
 * A name of a layer's own file. Where several files are trained as one graph, the names of all but the first stand behind `part/` there.
 */
export const nameInFile = ({ part }: Layer, name: string): string =>
  part !== undefined && name.startsWith(`${part}/`) ? name.slice(part.length + 1) : name;

/** All nodes, in subgraphs too, that multiply by a layer's weight as its kind of layer does. */
export function weightUses(model: Model): (layer: Layer) => WeightUse[] {
  const uses = new Map<string, WeightUse[]>();
  const visit = (graph: ModelGraph, outer?: ModelScope): void => {
    const scope = new ModelScope(graph, outer);
    for (const node of graph.nodes) {
      for (const a of Object.values(node.attributes)) if (a.kind === 'graph') visit(a.value, scope);
      if (!operatorOf[`${node.domain}::${node.op}`]) continue;
      const path = weightPath(scope, node.inputs[weightInput(node)] ?? '');
      if (!path) continue;
      const known = uses.get(path.initializer);
      if (known) known.push({ scope, node, path });
      else uses.set(path.initializer, [{ scope, node, path }]);
    }
  };
  visit(model.graph);
  return (layer) =>
    (uses.get(layer.initializer) ?? uses.get(nameInFile(layer, layer.initializer)) ?? []).filter(
      ({ node }) =>
        operatorOf[`${node.domain}::${node.op}`] === layer.op &&
        (layer.op !== 'Gemm' || seesTransposed(node) === layer.transposed),
    );
}

/** A matrix with its axes exchanged if the nodes see it so. */
function exchanged(
  layer: Layer,
  data: Float32Array,
  way: 'to torch' | 'from torch',
  transposedThere: boolean,
): Float32Array {
  if (layer.kind !== 'linear' || !transposedThere) return data;
  const shape = way === 'to torch' ? [layer.in, layer.out] : [layer.out, layer.in];
  return Float32Array.from(
    transposed({ type: 'float32', shape, data: Float64Array.from(data) }, [1, 0]).data,
  );
}

/** A weight as the layer's nodes see it once imported → torch's order, and back. */
export const flipped = (layer: Layer, data: Float32Array, way: 'to torch' | 'from torch'): Float32Array =>
  exchanged(layer, data, way, layer.transposed);

/** A weight as a node of the file sees it → torch's order, and back: FusedMatMul may transpose by itself. */
export const flippedAt = (
  { node }: WeightUse,
  layer: Layer,
  data: Float32Array,
  way: 'to torch' | 'from torch',
): Float32Array => exchanged(layer, data, way, seesTransposed(node));

/**
 * The base weights of a model in torch's order (linear [out, in], embedding [in, out], conv [out, in/groups, kernel…]), float32.
 * The function throws ModelError for a layer that is not in the model.
 */
export function torchWeights(model: Model): (layer: Layer) => Float32Array {
  const usesOf = weightUses(model);
  return (layer) => {
    const use = usesOf(layer)[0];
    if (!use) throw noWeight(model, layer);
    return flippedAt(use, layer, Float32Array.from(seenValues(layer, use).data), 'to torch');
  };
}

/** Why a layer has no weight that could be merged. */
export function noWeight(model: Model, layer: Layer): ModelError {
  const packed = model.graph.nodes.find(
    (n) => n.op === 'MatMulNBits' && layer.nodes.some((name) => nameInFile(layer, name) === n.name),
  );
  return new ModelError(
    packed
      ? `The weight of ${layer.path} is packed in few bits (MatMulNBits ${packed.name}), which cannot be merged into. Save the adapter's own file, or train on the model before it was quantised.`
      : `The model has no ${layer.op} that multiplies by ${layer.initializer}, the weight of ${layer.path}: the adapter belongs to another model.`,
  );
}

/** The weight's values where the node sees them, their shape checked. */
export function seenValues(layer: Layer, { scope, path, node }: WeightUse): Values {
  const values = evaluatePath(scope, path);
  const wanted = shapeSeen(layer, seesTransposed(node)).join();
  if (values.shape.join() !== wanted)
    throw new ModelError(
      `${node.op} ${node.name} has a weight of shape [${values.shape.join()}], but layer ${layer.path} one of [${wanted}]: the adapter belongs to another model.`,
    );
  return values;
}
