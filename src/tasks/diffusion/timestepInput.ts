/** @file One timestep per sample in a graph that takes a single one for the whole batch. */
import { prune } from '#src/graph/prune.ts';
import type { Graph, Value } from '#src/graph/types.ts';

/**
 * Exports with a timestep of rank 0 spread it over the batch by an Expand, and everything after that works row by row. That spread value becomes the
 * input, under the old input's name with the shape [batch].
 * @returns null where no value spreads the timestep over the batch
 */
export function perSampleTimestep(graph: Graph, name: string, batch: number): Graph | null {
  const onlyOfIt = new Set([name]);
  const follows = (n: string): boolean => n === '' || onlyOfIt.has(n) || graph.constants.has(n);
  for (const node of graph.nodes) {
    if (!node.inputs.some((n) => onlyOfIt.has(n)) || !node.inputs.every(follows)) continue;
    for (const output of node.outputs) onlyOfIt.add(output);
    const spread = graph.values.get(node.outputs[0] ?? '');
    if (node.op !== 'Expand' || spread?.shape.join() !== String(batch)) continue;
    return withInput(graph, name, spread);
  }
  return null;
}

function withInput(graph: Graph, name: string, spread: Value): Graph {
  const input: Value = { name, type: spread.type, shape: spread.shape };
  const values = new Map(graph.values);
  values.set(name, input);
  return prune({
    ...graph,
    inputs: graph.inputs.map((v) => (v.name === name ? input : v)),
    // Nodes before the spread, the Expand among them, are left without a use.
    nodes: graph.nodes
      .filter((node) => !node.outputs.includes(spread.name))
      .map((node) => ({ ...node, inputs: node.inputs.map((n) => (n === spread.name ? name : n)) })),
    values,
  });
}
