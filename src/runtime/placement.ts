/** @file Which nodes do not run on the GPU, by the operator table. */
import type { Graph } from '#src/graph/types.ts';
import { operatorKey, operators } from '#src/ops/table.ts';
import type { PlacementReport } from './types.ts';

/** Nodes for which WebGPU has no kernel: what a report says when onnxruntime refuses to place everything on the GPU. */
export function predictedElsewhere(graph: Graph): PlacementReport['elsewhere'] {
  // Nodes on constants alone are folded when the session is made.
  const constant = new Set(graph.constants.keys());
  return graph.nodes.flatMap((node) => {
    if (node.inputs.every((n) => n === '' || constant.has(n))) {
      for (const o of node.outputs) constant.add(o);
      return [];
    }
    const inputs = node.inputs.map((n) => (n === '' ? null : (graph.values.get(n) ?? null)));
    const outputs = node.outputs.flatMap((n) => graph.values.get(n) ?? []);
    const known = operators[operatorKey(node)];
    if (known && (known.webgpu?.(node, inputs, outputs) ?? true)) return [];
    return [
      {
        node: node.name,
        op: operatorKey(node),
        device: 'CPU',
        reason: `WebGPU has no kernel for this ${node.op} (${inputs.map((v) => (v ? `${v.type}[${v.shape.join()}]` : '–')).join(', ')}).`,
      },
    ];
  });
}
