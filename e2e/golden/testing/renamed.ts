/** @file A model whose values and nodes are called otherwise. */
import type { Attribute, Model, ModelGraph, Node } from '#src/onnx/model.ts';

/** Names of all values, subgraphs' too, in order of appearance. */
export function valueNames(graph: ModelGraph, names = new Set<string>()): ReadonlySet<string> {
  for (const v of [...graph.inputs, ...graph.outputs]) names.add(v.name);
  for (const name of graph.initializers.keys()) names.add(name);
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) if (name !== '') names.add(name);
    for (const a of Object.values(node.attributes)) if (a.kind === 'graph') valueNames(a.value, names);
  }
  return names;
}

function renamedGraph(
  graph: ModelGraph,
  now: (name: string) => string,
  nodeName: (name: string) => string,
): ModelGraph {
  const node = (n: Node): Node => ({
    ...n,
    name: nodeName(n.name),
    inputs: n.inputs.map(now),
    outputs: n.outputs.map(now),
    attributes: Object.fromEntries(
      Object.entries(n.attributes).map(([key, a]): [string, Attribute] => [
        key,
        a.kind === 'graph' ? { ...a, value: renamedGraph(a.value, now, nodeName) } : a,
      ]),
    ),
  });
  return {
    ...graph,
    inputs: graph.inputs.map((v) => ({ ...v, name: now(v.name) })),
    outputs: graph.outputs.map((v) => ({ ...v, name: now(v.name) })),
    nodes: graph.nodes.map(node),
    initializers: new Map([...graph.initializers].map(([name, c]) => [now(name), c])),
  };
}

/** @param values new names of values; what is not among them keeps its own. @param nodeName new names of nodes, asked for in order */
export const renamedModel = (
  model: Model,
  values: ReadonlyMap<string, string>,
  nodeName: (name: string) => string = (name) => name,
): Model => ({
  ...model,
  graph: renamedGraph(model.graph, (name) => values.get(name) ?? name, nodeName),
});
