/** @file Drops what the outputs do not need. */
import type { Constant, Node } from '#src/onnx/model.ts';
import { reads } from './topology.ts';
import type { Graph, Value } from './types.ts';

/** The graph without nodes, constants and values that no output depends on. Inputs stay: they are the graph's interface. */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map((v) => v.name));
  const kept: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((o) => needed.has(o))) continue;
    kept.push(node);
    for (const name of reads(node)) if (name !== '') needed.add(name);
  }
  kept.reverse();
  const constants = new Map<string, Constant>();
  for (const [name, constant] of graph.constants) if (needed.has(name)) constants.set(name, constant);
  const values = new Map<string, Value>();
  const keep = (name: string): void => {
    const value = graph.values.get(name);
    if (value) values.set(name, value);
  };
  for (const v of graph.inputs) keep(v.name);
  for (const name of constants.keys()) keep(name);
  for (const node of kept) for (const o of node.outputs) keep(o);
  return { inputs: graph.inputs, outputs: graph.outputs, nodes: kept, constants, values };
}
