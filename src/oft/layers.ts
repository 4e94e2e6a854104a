/** @file Finds the layers that can be adapted: MatMul, Gemm and Conv whose weight is an initializer, also behind a few pass-through nodes. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { nameModules } from './modules/tree.ts';
import type { Layer } from './types.ts';

const transparent = new Set(['Transpose', 'Cast', 'Identity', 'DequantizeLinear']);

/** Names that exporters invent and that say nothing of the module: TorchScript's onnx::MatMul_12, dynamo's val_7, optimisers' transposes. */
const anonymous = /^(onnx::|val_\d+$|\/|_?const|initializer|node_|\d+$)/i;

/**
 * The adaptable layers of a static graph in topological order; nodes that share one initializer are one layer.
 * Paths come from the initializer's name without `.weight`, else from the node's scope (`/down/0/to_q/MatMul` → `down.0.to_q`).
 */
export function findLayers(graph: Graph, { embeddings = false } = {}): Layer[] {
  const producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  const found = new Map<string, Layer>();
  for (const node of graph.nodes) {
    if (embeddings && node.op === 'Gather') {
      const table = embedding(graph, producers, node);
      if (table) found.set(table.initializer, table);
      continue;
    }
    if (node.domain !== '' || !['MatMul', 'Gemm', 'Conv'].includes(node.op)) continue;
    const weight = graph.values.get(node.inputs[1] ?? '');
    const initializer = weight && behind(graph, producers, weight.name);
    if (!weight || !initializer || !weight.type.startsWith('float')) continue;
    if (node.op !== 'Conv' && weight.shape.length !== 2) continue;
    const known = found.get(initializer);
    const layer = describe(node, weight.shape, initializer);
    if (!known) found.set(initializer, layer);
    else if (known.transposed === layer.transposed && known.op === layer.op)
      found.set(initializer, { ...known, nodes: [...known.nodes, node.name] });
  }
  return nameModules([...found.values()]);
}

/** A Gather of rows of a stored float matrix. */
function embedding(graph: Graph, producers: ReadonlyMap<string, Node>, node: Node): Layer | undefined {
  const table = graph.values.get(node.inputs[0] ?? '');
  const initializer = table && behind(graph, producers, table.name);
  if (!table || !initializer || !table.type.startsWith('float') || table.shape.length !== 2) return undefined;
  if (intAttr(node, 'axis', 0) !== 0) return undefined;
  return {
    path: layerPath(node, initializer),
    kind: 'embedding',
    nodes: [node.name],
    initializer,
    op: 'Gather',
    in: table.shape[0]!,
    out: table.shape[1]!,
    kernel: [],
    stride: [],
    groups: 1,
    transposed: false,
  };
}

function behind(graph: Graph, producers: ReadonlyMap<string, Node>, name: string): string | undefined {
  for (;;) {
    if (graph.constants.has(name)) return name;
    const node = producers.get(name);
    if (!node || !transparent.has(node.op)) return undefined;
    name = node.inputs[0]!;
  }
}

function describe(node: Node, shape: readonly number[], initializer: string): Layer {
  const path = layerPath(node, initializer);
  if (node.op === 'Conv') {
    const kernel = shape.slice(2);
    const groups = intAttr(node, 'group', 1);
    const stride = intsAttr(node, 'strides') ?? kernel.map(() => 1);
    const dilation = intsAttr(node, 'dilations') ?? [];
    return {
      path,
      kind: 'conv',
      nodes: [node.name],
      initializer,
      op: 'Conv',
      in: shape[1]! * groups,
      out: shape[0]!,
      kernel,
      stride,
      ...(dilation.some((d) => d > 1) && { dilation }),
      groups,
      transposed: false,
    };
  }
  const transposed = node.op === 'MatMul' || intAttr(node, 'transB', 0) === 0;
  const [out, inner] = transposed ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
  return {
    path,
    kind: 'linear',
    nodes: [node.name],
    initializer,
    op: node.op as 'MatMul' | 'Gemm',
    in: inner,
    out,
    kernel: [],
    stride: [],
    groups: 1,
    transposed,
  };
}

/** The dotted module path of a layer's weight. */
function layerPath(node: Node, initializer: string): string {
  if (!anonymous.test(initializer))
    return (
      initializer.replace(/[._/]?(weight|kernel|MatMul\/ReadVariableOp(:0)?)$/, '').replaceAll('/', '.') ||
      initializer
    );
  const scope = node.name.split('/').filter(Boolean).slice(0, -1);
  return scope.length > 0 ? scope.join('.') : initializer.replaceAll(/[:/]+/g, '_');
}
