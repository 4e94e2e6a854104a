/** @file Which nodes of a model multiply by a layer's weight, and the weight in torch's order. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Layer } from '#src/oft/types.ts';
import { floatForm } from '#src/ops/integers/floatForm.ts';
import { type Model, ModelError, type ModelGraph, type Node } from '#src/onnx/model.ts';
import { evaluate, ModelScope, transposed, type Values } from './onnxValues.ts';
import { unpacked } from './packedValues.ts';

/** The same numbers in another layout or type. */
const layout = new Set(
  'Transpose Cast Identity QuantizeLinear DequantizeLinear Dropout Reshape Squeeze Unsqueeze Flatten'.split(
    ' ',
  ),
);

/** The constant whose layout alone a value changes; undefined: none lies behind it. */
function constantBehind(scope: ModelScope, name: string): string | undefined {
  let at = name;
  for (let steps = 0; steps < 64; steps++) {
    if (scope.constant(at)) return at;
    const node = scope.producer(at);
    if (!node || node.domain !== '' || !layout.has(node.op)) return undefined;
    at = node.inputs[0] ?? '';
  }
  return undefined;
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
  // Weights in blocks of few bits, in torch's order.
  'com.microsoft::MatMulNBits': 'Gemm',
};

/** The node's weight has its outputs on the last axis: on the right, unless Gemm exchanges its axes; on the left only then. */
function seesTransposed(node: Node, layer: Pick<Layer, 'weightInput'>): boolean {
  const right = layer.weightInput === undefined;
  if (node.op === 'MatMulNBits') return false;
  const exchanged =
    node.op !== 'MatMul' && node.op !== 'Attention' && intAttr(node, right ? 'transB' : 'transA', 0) !== 0;
  return right !== exchanged;
}

const shapeSeen = (layer: Layer, transposedThere: boolean): number[] =>
  layer.kind === 'conv'
    ? [layer.out, layer.in / layer.groups, ...layer.kernel]
    : layer.kind === 'embedding' || transposedThere
      ? [layer.in, layer.out]
      : [layer.out, layer.in];

/** The weight's shape where the layer's nodes see it, as imported. */
export const seenShape = (layer: Layer): number[] => shapeSeen(layer, layer.transposed);

/** Which of its nodes' inputs is a layer's weight. */
export const weightInput = (layer: Layer): 0 | 1 =>
  layer.kind === 'embedding' ? 0 : (layer.weightInput ?? 1);

export interface WeightUse {
  readonly scope: ModelScope;
  readonly node: Node;
  /** The value that the node multiplies by. */
  readonly seen: string;
  readonly opset: number;
}

/**
 * A name of a layer's own file. Where several files are trained as one graph, the names of all but the first stand behind `part/` there.
 */
export const nameInFile = ({ part }: Layer, name: string): string =>
  part !== undefined && name.startsWith(`${part}/`) ? name.slice(part.length + 1) : name;

/** Nodes of a model by what they multiply by, and by their names as import gives them. */
interface Uses {
  /** By the constant whose layout alone is changed. */
  readonly byConstant: ReadonlyMap<string, readonly WeightUse[]>;
  readonly byNode: ReadonlyMap<string, readonly { readonly scope: ModelScope; readonly node: Node }[]>;
}

function usesIn({ graph: whole, opsets }: Model): Uses {
  const opset = opsets.get('') ?? 21;
  const byConstant = new Map<string, WeightUse[]>();
  const byNode = new Map<string, { scope: ModelScope; node: Node }[]>();
  const add = <T>(to: Map<string, T[]>, key: string, x: T): void => {
    const known = to.get(key);
    if (known) known.push(x);
    else to.set(key, [x]);
  };
  const visit = (graph: ModelGraph, outer?: ModelScope): void => {
    const scope = new ModelScope(graph, outer);
    for (const node of graph.nodes) {
      for (const a of Object.values(node.attributes)) if (a.kind === 'graph') visit(a.value, scope);
      if (!operatorOf[`${node.domain}::${node.op}`]) continue;
      add(byNode, node.name || (node.outputs[0] ?? ''), { scope, node });
      for (const seen of new Set(node.inputs.slice(0, 2))) {
        const constant = constantBehind(scope, seen);
        if (constant !== undefined) add(byConstant, constant, { scope, node, seen, opset });
      }
    }
  };
  visit(whole);
  return { byConstant, byNode };
}

/** All nodes, in subgraphs too, that multiply by a layer's weight as its kind of layer does. */
export function weightUses(file: Model): (layer: Layer) => WeightUse[] {
  const model = floatForm(file);
  const { byConstant, byNode } = usesIn(model);
  const opset = model.opsets.get('') ?? 21;
  const fits = (layer: Layer, node: Node): boolean =>
    operatorOf[`${node.domain}::${node.op}`] === layer.op &&
    (layer.op !== 'Gemm' || seesTransposed(node, layer) === layer.transposed);
  /** Nodes of one name are told apart by a number behind it. */
  const named = (name: string): readonly { readonly scope: ModelScope; readonly node: Node }[] => {
    const known = byNode.get(name);
    if (known) return known.slice(0, 1);
    const [, base, place] = /^(.*)\/(\d+)$/.exec(name) ?? [];
    return base === undefined ? [] : (byNode.get(base) ?? []).slice(Number(place), Number(place) + 1);
  };
  return (layer) => {
    const at = weightInput(layer);
    const own = (name: string): string => nameInFile(layer, name);
    const byName = layer.nodes.flatMap((name) =>
      named(own(name)).flatMap(({ scope, node }) =>
        fits(layer, node) ? [{ scope, node, seen: node.inputs[at] ?? '', opset }] : [],
      ),
    );
    // Import gives a packed weight a name that the file does not have.
    if (layer.made || byName.some(({ node }) => node.op === 'MatMulNBits')) return byName;
    return (byConstant.get(layer.initializer) ?? byConstant.get(own(layer.initializer)) ?? []).filter(
      ({ node, seen }) => fits(layer, node) && node.inputs[at] === seen,
    );
  };
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
): Float32Array => exchanged(layer, data, way, seesTransposed(node, layer));

/**
 * The base weights of a model in torch's order (linear [out, in], embedding [in, out], conv [out, in/groups, kernel…]), float32.
 * The function throws ModelError for a layer that is not in the model.
 */
export function torchWeights(model: Model): (layer: Layer) => Float32Array {
  const usesOf = weightUses(model);
  return (layer) => {
    const use = usesOf(layer)[0];
    if (!use) throw noWeight(layer);
    return flippedAt(use, layer, Float32Array.from(seenValues(layer, use).data), 'to torch');
  };
}

/** Why a layer has no weight that could be merged. */
export const noWeight = (layer: Layer): ModelError =>
  new ModelError(
    `The model has no ${layer.op} that multiplies by ${layer.initializer}, the weight of ${layer.path}: the adapter belongs to another model. Open the model it was trained on.`,
  );

/** The weight's values where the node sees them, their shape checked. */
export function seenValues(layer: Layer, { scope, seen, node, opset }: WeightUse): Values {
  const values = node.op === 'MatMulNBits' ? unpacked(scope, node) : evaluate(scope, seen, opset);
  const wanted = shapeSeen(layer, seesTransposed(node, layer));
  // Axes of 1 may stand before a matrix.
  const idle = values.shape.length - wanted.length;
  const fits =
    values.shape.slice(Math.max(0, idle)).join() === wanted.join() &&
    (idle === 0 || (layer.kind === 'linear' && values.shape.slice(0, idle).every((d) => d === 1)));
  if (!fits)
    throw new ModelError(
      `${node.op} ${node.name} has a weight of shape [${values.shape.join()}], but layer ${layer.path} one of [${wanted.join()}]: the adapter belongs to another model. Open the model it was trained on.`,
    );
  return values;
}
