/** @file Replaces operators that WebGPU lacks by ones that it has, over a finished graph. */
import type { Graph, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { builder, operatorKey, operators } from '../table.ts';

/** The same graph with every node lowered whose table entry asks for it. Inputs and outputs keep their names. */
export function lowerGraph(graph: Graph): Graph {
  if (!graph.nodes.some((n) => operators[operatorKey(n)]?.lower)) return graph;
  const g = builder();
  g.startFrom(graph);
  for (const [name, constant] of graph.constants) g.initializer(name, constant);
  const outputs = new Set(graph.outputs.map((v) => v.name));
  const replaced = new Map<string, Value>();
  const current = (name: string): Value | null =>
    name === '' ? null : (replaced.get(name) ?? g.value(name));
  for (const node of graph.nodes) {
    const moved = node.inputs.some((name) => replaced.has(name));
    const lower = operators[operatorKey(node)]?.lower;
    if (!lower && !moved) {
      g.adopt(node, graph.values);
      continue;
    }
    const inputs = node.inputs.map(current);
    const renamed: Node = moved ? { ...node, inputs: inputs.map((v) => v?.name ?? '') } : node;
    const lowered = lower?.(g, renamed, inputs);
    if (!lowered) {
      g.adopt(renamed, graph.values);
      continue;
    }
    node.outputs.forEach((name, i) => {
      const value = lowered[i];
      if (name === '' || !value) return;
      if (outputs.has(name)) g.emit('Identity', [value], {}, { outputNames: [name] });
      else replaced.set(name, value);
    });
  }
  return g.build(graph.outputs);
}
