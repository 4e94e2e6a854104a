/** @file Two static graphs as one: what the first makes, the second reads. */
import { reportIt, type Graph, GraphError, type Value } from '#src/graph/types.ts';
import type { Constant, Node } from '#src/onnx/model.ts';

/** The graph with every name, of nodes too, behind a prefix. */
export function prefixed(graph: Graph, prefix: string): Graph {
  const name = (n: string): string => (n === '' ? n : prefix + n);
  const value = (v: Value): Value => ({ ...v, name: name(v.name) });
  return {
    inputs: graph.inputs.map(value),
    outputs: graph.outputs.map(value),
    nodes: graph.nodes.map((node) => ({
      ...node,
      name: name(node.name),
      inputs: node.inputs.map(name),
      outputs: node.outputs.map(name),
    })),
    constants: new Map([...graph.constants].map(([n, c]) => [name(n), c])),
    values: new Map([...graph.values].map(([n, v]) => [name(n), value(v)])),
  };
}

/**
 * `first` feeds `second`: inputs of the second that `links` names become values of the first and are inputs no longer.
 * @param links input of the second → value of the first, of equal type and shape
 * @returns a graph with the second's outputs
 * @throws GraphError where a link does not fit, or a name is in both graphs
 */
export function joinGraphs(first: Graph, second: Graph, links: ReadonlyMap<string, string>): Graph {
  for (const [to, from] of links) {
    const [wanted, given] = [second.values.get(to), first.values.get(from)];
    if (!wanted || !given || !second.inputs.some((v) => v.name === to))
      throw new GraphError(`There is no ${wanted ? from : `input ${to}`} to join two graphs at.`, {
        cure: reportIt,
      });
    if (wanted.type !== given.type || wanted.shape.join() !== given.shape.join())
      throw new GraphError(
        `${from} is ${given.type} [${given.shape.join()}], but ${to} takes ${wanted.type} [${wanted.shape.join()}].`,
        { cure: 'Export all parts again, from one model.' },
      );
  }
  const linked = (name: string): string => links.get(name) ?? name;
  const values = new Map(first.values);
  for (const [name, value] of second.values) {
    if (links.has(name)) continue;
    if (values.has(name))
      throw new GraphError(
        `Both models have a value named ${name}. Export one of them again, with other names.`,
      );
    values.set(name, value);
  }
  const constants = new Map<string, Constant>([...first.constants, ...second.constants]);
  const nodes: Node[] = [
    ...first.nodes,
    ...second.nodes.map((node) => ({ ...node, inputs: node.inputs.map(linked) })),
  ];
  return {
    inputs: [...first.inputs, ...second.inputs.filter((v) => !links.has(v.name))],
    outputs: second.outputs,
    nodes,
    constants,
    values,
  };
}

/** Two graphs beside one another, with the inputs and outputs of both. Throws GraphError where they share a name. */
export function besides(a: Graph, b: Graph): Graph {
  const joined = joinGraphs(a, b, new Map());
  return { ...joined, outputs: [...a.outputs, ...b.outputs] };
}
