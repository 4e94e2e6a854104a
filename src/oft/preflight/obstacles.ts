/** @file What stands between a model and its training: operators that are not taken, and gradients that cannot pass. */
import { readersOf, reads } from '#src/graph/topology.ts';
import type { Graph } from '#src/graph/types.ts';
import type { ModelGraph } from '#src/onnx/model.ts';
import { supportOf } from '#src/ops/checks/support.ts';
import { roundedValue } from '#src/ops/quantised/straightThrough.ts';
import { operatorKey, operators } from '#src/ops/table.ts';
import type { Layer } from '../types.ts';

export interface Obstacle {
  readonly node: string;
  readonly op: string;
  /** A gradient must pass through it to reach an adapted layer. */
  readonly gradient: boolean;
  /** The operator is not taken at all; otherwise only its gradient is missing. */
  readonly unknown: boolean;
}

/** Nodes of operators that Rotune does not know, or refuses by name, in branches too; whether one lies behind a layer's weight. */
export function unknownOperators(graph: ModelGraph, tainted = new Set<string>()): Obstacle[] {
  const found: Obstacle[] = [];
  for (const node of graph.nodes) {
    const weighted =
      ['MatMul', 'Gemm', 'Conv'].includes(node.op) && graph.initializers.has(node.inputs[1] ?? '');
    const reached = node.inputs.some((name) => tainted.has(name));
    if (weighted || reached) for (const name of node.outputs) tainted.add(name);
    for (const attribute of Object.values(node.attributes))
      if (attribute.kind === 'graph') found.push(...unknownOperators(attribute.value, tainted));
    if (supportOf(node) === 'unsupported')
      found.push({
        node: node.name || node.outputs[0] || '',
        op: operatorKey(node),
        gradient: reached,
        unknown: true,
      });
  }
  return found;
}

/** Nodes without a gradient rule, and whether one must pass: they depend on an adapted layer's output. */
export function withoutGradient(graph: Graph, layers: readonly Layer[]): Obstacle[] {
  const adapted = new Set(layers.flatMap((layer) => layer.nodes));
  const tainted = new Set<string>();
  const found: Obstacle[] = [];
  const straight = straightValues(graph);
  for (const node of graph.nodes) {
    if (straight.has(node.outputs[0]!)) {
      const x = straight.get(node.outputs[0]!);
      if (x !== null && tainted.has(x!)) tainted.add(node.outputs[0]!);
      continue;
    }
    const operator = operators[operatorKey(node)];
    const reached = reads(node).some((name) => tainted.has(name));
    if (operator?.grad === undefined)
      found.push({ node: node.name, op: operatorKey(node), gradient: reached, unknown: false });
    if (!adapted.has(node.name) && (!reached || operator?.grad === 'none')) continue;
    for (const name of node.outputs) if (graph.values.get(name)?.type.includes('float')) tainted.add(name);
  }
  return found;
}

/**
 * Rounded activations by name: what a gradient passes on to from them. null: whole numbers on the way, which only such values are made of.
 */
function straightValues(graph: Graph): ReadonlyMap<string, string | null> {
  const producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  const found = new Map<string, string | null>();
  const readers = readersOf(graph.nodes);
  for (const node of graph.nodes) {
    const x = roundedValue(node, (name) => producers.get(name));
    if (x !== undefined) found.set(node.outputs[0]!, x);
  }
  for (const node of graph.nodes) {
    const read = node.outputs.flatMap((o) => readers.get(o) ?? []);
    if (
      /QuantizeLinear$/.test(node.op) &&
      node.op !== 'DequantizeLinear' &&
      read.every((r) => found.has(r.outputs[0]!))
    )
      found.set(node.outputs[0]!, null);
  }
  return found;
}

/** turns: a gradient reaches it. cut off: no float output depends on it in a differentiable way. blocked: the gradient would have to pass a node that has none. */
export type Reach = 'turns' | 'cut off' | 'blocked';

/**
 * For each layer, whether a loss on the graph's float outputs can turn it: one walk backwards, linear in the graph.
 * @returns in the order of `layers`
 */
export function reachOf(graph: Graph, layers: readonly Layer[]): Reach[] {
  const live = new Set(graph.outputs.filter((v) => v.type.includes('float')).map((v) => v.name));
  const blocked = new Set<string>();
  const byNode = new Map<string, Reach>();
  const straight = straightValues(graph);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    const stopped = node.outputs.some((name) => blocked.has(name));
    const wanted = node.outputs.some((name) => live.has(name));
    if (!stopped && !wanted) continue;
    byNode.set(node.name, stopped ? 'blocked' : 'turns');
    const x = straight.get(node.outputs[0]!);
    if (x) {
      if (stopped) blocked.add(x);
      if (wanted) live.add(x);
      continue;
    }
    const grad = operators[operatorKey(node)]?.grad;
    if (grad === 'none') continue;
    for (const name of reads(node)) {
      if (!graph.values.get(name)?.type.includes('float')) continue;
      if (grad === undefined || stopped) blocked.add(name);
      if (wanted) live.add(name);
    }
  }
  return layers.map((layer) => {
    const reaches = layer.nodes.map((name) => byNode.get(name) ?? 'cut off');
    if (reaches.includes('blocked')) return 'blocked';
    return reaches.includes('turns') ? 'turns' : 'cut off';
  });
}
