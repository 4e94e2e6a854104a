/** @file Finds the layers that can be adapted: MatMul, Gemm and Conv that multiply by a stored weight; and says of others why they are none. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { nameModules } from '../modules/tree.ts';
import { layerPath, withDistinctPaths } from './paths.ts';
import type { Layer } from '../types.ts';
import { type Behind, type StoredWeight, weightTracer } from './weights.ts';

/** A node that multiplies by what hangs on constants alone, and is no layer. */
export interface Unadapted {
  readonly node: string;
  readonly op: string;
  /** "its weight …". */
  readonly reason: string;
}

export interface Examined {
  readonly layers: readonly Layer[];
  readonly others: readonly Unadapted[];
}

/**
 * The adaptable layers of a static graph in topological order; nodes that share one weight are one layer.
 * Paths come from the stored weight's name without `.weight`, else from the node's scope (`/down/0/to_q/MatMul` → `down.0.to_q`).
 */
export const findLayers = (graph: Graph, options: { readonly embeddings?: boolean } = {}): Layer[] => [
  ...examineLayers(graph, options).layers,
];

/** As {@link findLayers}, with the nodes that are no layers though they multiply by constants. */
export function examineLayers(
  graph: Graph,
  { embeddings = false }: { readonly embeddings?: boolean } = {},
): Examined {
  const behind = weightTracer(graph);
  const found = new Map<string, Layer>();
  const others: Unadapted[] = [];
  const refuse = (node: Node, reason: string): void => {
    others.push({ node: node.name, op: node.domain === '' ? node.op : `${node.domain} ${node.op}`, reason });
  };
  /** The operand that is the weight: on the right, else on the left; what it is. */
  const operand = (node: Node): [at: 0 | 1, weight: Behind] => {
    const right = behind(node.inputs[1] ?? '');
    if (right !== null || node.op === 'Conv') return [1, right];
    return [0, behind(node.inputs[0] ?? '')];
  };
  for (const node of graph.nodes) {
    if (embeddings && node.op === 'Gather' && node.domain === '') {
      const table = behind(node.inputs[0] ?? '');
      const layer = table && 'stored' in table ? embedding(graph, node, table) : undefined;
      if (layer) found.set(layer.initializer, layer);
      continue;
    }
    if (node.domain !== '' || !multiplying.has(node.op)) {
      const why = unlike[node.op];
      const weight = why && node.domain === '' ? behind(node.inputs[1] ?? '') : null;
      if (why && weight && 'stored' in weight) refuse(node, why);
      continue;
    }
    const [at, weight] = operand(node);
    if (weight === null) continue;
    if ('reason' in weight) {
      refuse(node, `its weight ${weight.reason}`);
      continue;
    }
    const layer = describe(graph, node, at, weight);
    if ('reason' in layer) {
      refuse(node, layer.reason);
      continue;
    }
    const key = weight.value;
    const known = found.get(key);
    if (!known) found.set(key, layer);
    else if (sameUse(known, layer)) found.set(key, { ...known, nodes: [...known.nodes, node.name] });
    else refuse(node, `its weight is that of ${known.path}, which sees it in another shape`);
  }
  return { layers: nameModules(withDistinctPaths([...found.values()])), others };
}

/** Nodes that are no layers in words: the first few by name, each with its reason; '' for none. */
export function unadaptedWords(others: readonly Unadapted[], most = 3): string {
  const named = others.slice(0, most).map(({ op, node, reason }) => `${op} ${node}: ${reason}`);
  const rest = others.length - named.length;
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

/** Why a model has no layer. */
export const noLayerWords = (others: readonly Unadapted[]): string =>
  others.length === 0
    ? 'no MatMul, Gemm or Conv multiplies by a stored weight.'
    : `what multiplies by constants does not count: ${unadaptedWords(others)}.`;

const multiplying = new Set(['MatMul', 'Gemm', 'Conv']);

/** Operators with weights that adapters have no layers for. */
const unlike: Readonly<Record<string, string>> = {
  ConvTranspose: 'transposed convolutions are no layers in any format of OFT adapters',
  LSTM: 'weights of recurrent layers are not adapted',
  GRU: 'weights of recurrent layers are not adapted',
  RNN: 'weights of recurrent layers are not adapted',
};

const sameUse = (a: Layer, b: Layer): boolean =>
  a.op === b.op &&
  a.transposed === b.transposed &&
  a.weightInput === b.weightInput &&
  a.in === b.in &&
  a.out === b.out &&
  a.groups === b.groups &&
  a.kernel.join() === b.kernel.join();

/** A Gather of rows of a stored float matrix. */
function embedding(graph: Graph, node: Node, weight: StoredWeight): Layer | undefined {
  const table = graph.values.get(node.inputs[0]!)!;
  if (!table.type.startsWith('float') || table.shape.length !== 2 || intAttr(node, 'axis', 0) !== 0)
    return undefined;
  return {
    ...named(node, weight, graph),
    kind: 'embedding',
    op: 'Gather',
    in: table.shape[0]!,
    out: table.shape[1]!,
    kernel: [],
    stride: [],
    groups: 1,
    transposed: false,
  };
}

/** What every layer has of its node and weight. */
const named = (
  node: Node,
  { value, stored }: StoredWeight,
  { values }: Graph,
): Pick<Layer, 'path' | 'nodes' | 'initializer' | 'made'> => ({
  path: layerPath(node, stored[0]!),
  nodes: [node.name],
  initializer: stored[0]!,
  ...(value !== stored[0] && {
    made: {
      stored,
      whole:
        stored.length === 1 && sizeOf(values.get(value)!.shape) === sizeOf(values.get(stored[0]!)!.shape),
    },
  }),
});

function describe(
  graph: Graph,
  node: Node,
  at: 0 | 1,
  stored: StoredWeight,
): Layer | { readonly reason: string } {
  const weight = graph.values.get(node.inputs[at]!)!;
  if (!weight.type.startsWith('float')) return { reason: `its weight holds whole numbers (${weight.type})` };
  const { shape } = weight;
  if (node.op === 'Conv') {
    const kernel = shape.slice(2);
    const groups = intAttr(node, 'group', 1);
    const dilation = intsAttr(node, 'dilations') ?? [];
    return {
      ...named(node, stored, graph),
      kind: 'conv',
      op: 'Conv',
      in: shape[1]! * groups,
      out: shape[0]!,
      kernel,
      stride: intsAttr(node, 'strides') ?? kernel.map(() => 1),
      ...(dilation.some((d) => d > 1) && { dilation }),
      groups,
      transposed: false,
    };
  }
  const [rows, columns] = shape.slice(-2);
  if (rows === undefined || columns === undefined)
    return { reason: `it multiplies by a vector of ${shape[0] ?? 1} numbers, not by a matrix` };
  if (shape.slice(0, -2).some((d) => d !== 1))
    return {
      reason: `it multiplies by ${shape.slice(0, -2).join('·')} matrices at once, [${shape.join(', ')}]`,
    };
  // W has its outputs on the axis that it does not share with x: on the right the last, on the left the one before; Gemm may exchange them.
  const exchanged = node.op === 'Gemm' && intAttr(node, at === 1 ? 'transB' : 'transA', 0) !== 0;
  const transposed = (at === 1) !== exchanged;
  return {
    ...named(node, stored, graph),
    kind: 'linear',
    op: node.op as 'MatMul' | 'Gemm',
    in: transposed ? rows : columns,
    out: transposed ? columns : rows,
    kernel: [],
    stride: [],
    groups: 1,
    transposed,
    ...(at === 0 && { weightInput: 0 as const }),
  };
}
