/** @file Edits of a decoded model: weights replaced where nodes read them, nodes put in others' places, dead nodes left out. */
import { reads } from '#src/graph/topology.ts';
import type { Attribute, Constant, ModelGraph, Node } from '#src/onnx/model.ts';

/** The node with its subgraphs mapped. */
function withGraphs(node: Node, map: (graph: ModelGraph) => ModelGraph): Node {
  if (!Object.values(node.attributes).some((a) => a.kind === 'graph')) return node;
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([key, a]): [string, Attribute] => [
      key,
      a.kind === 'graph' ? { ...a, value: map(a.value) } : a,
    ]),
  );
  return { ...node, attributes };
}

/** Every name of a graph and its subgraphs, nodes' too. */
export function namesIn(graph: ModelGraph, names = new Set<string>()): Set<string> {
  for (const name of graph.initializers.keys()) names.add(name);
  for (const v of [...graph.inputs, ...graph.outputs]) names.add(v.name);
  for (const node of graph.nodes) {
    for (const name of [node.name, ...node.inputs, ...node.outputs]) names.add(name);
    for (const a of Object.values(node.attributes)) if (a.kind === 'graph') namesIn(a.value, names);
  }
  return names;
}

export function fresh(names: Set<string>, wanted: string): string {
  let name = wanted;
  for (let i = 2; names.has(name); i++) name = `${wanted}_${i}`;
  names.add(name);
  return name;
}

/** Collects replacements of weights and nodes, and carries them out at once. */
export class GraphEdit {
  readonly #graph: ModelGraph;
  readonly #names: Set<string>;
  readonly #nodes = new Map<Node, readonly Node[]>();
  readonly #constants = new Map<string, Constant>();
  readonly #inputs = new Map<Node, { readonly input: number; readonly name: string }>();
  readonly #added: { readonly name: string; readonly wanted: string; readonly constant: Constant }[] = [];
  constructor(graph: ModelGraph) {
    this.#graph = graph;
    this.#names = namesIn(graph);
  }

  /** Lets the nodes read `constant` as their weight. It takes over the old initializer's name if nothing else reads that. */
  replaceWeight(
    nodes: readonly { readonly node: Node; readonly input: number }[],
    old: { readonly name: string; readonly path: string },
    constant: Constant,
  ): void {
    const name = fresh(this.#names, `${old.path}.rotated.weight`);
    for (const { node, input } of nodes) this.#inputs.set(node, { input, name });
    this.#added.push({ name, wanted: old.name, constant });
  }

  /** Puts others in a node's place, which make what it made under the same names. */
  replaceNode(node: Node, others: readonly Node[]): void {
    this.#nodes.set(node, others);
  }

  /** A name that nothing in the model has. */
  fresh(wanted: string): string {
    return fresh(this.#names, wanted);
  }

  /** An initializer of its own. @returns its name */
  constant(wanted: string, constant: Constant): string {
    const name = this.fresh(wanted);
    this.#constants.set(name, constant);
    return name;
  }

  finish(): ModelGraph {
    const rewire = (graph: ModelGraph): ModelGraph => ({
      ...graph,
      nodes: graph.nodes.flatMap((node) => {
        const others = this.#nodes.get(node);
        if (others) return others;
        const change = this.#inputs.get(node);
        const inner = withGraphs(node, rewire);
        return change
          ? { ...inner, inputs: node.inputs.map((n, i) => (i === change.input ? change.name : n)) }
          : inner;
      }),
    });
    const before = new Set(deadNames(this.#graph));
    let graph = withoutDead(rewire(this.#graph), before);
    const initializers = new Map([...graph.initializers, ...this.#constants]);
    const renamed = new Map<string, string>();
    const left = namesIn(graph);
    for (const { name, wanted, constant } of this.#added) {
      const own = left.has(wanted) || renamed.has(wanted) ? name : wanted;
      if (own !== name) renamed.set(own, name);
      initializers.set(own, constant);
    }
    const newName = new Map([...renamed].map(([own, name]) => [name, own]));
    graph = renameReads({ ...graph, initializers }, newName);
    return graph;
  }
}

/** Initializers and nodes' outputs that nothing reads. */
function deadNames(graph: ModelGraph): string[] {
  const used = new Set([...graph.outputs.map((o) => o.name), ...graph.nodes.flatMap((n) => [...reads(n)])]);
  return [...graph.initializers.keys(), ...graph.nodes.flatMap((n) => n.outputs)].filter((n) => !used.has(n));
}

/** The graph without what has become unread; what was so before (`kept`) stays. */
function withoutDead(graph: ModelGraph, kept: ReadonlySet<string>): ModelGraph {
  for (;;) {
    const dead = new Set(deadNames(graph).filter((name) => name !== '' && !kept.has(name)));
    const nodes = graph.nodes.filter((n) => !n.outputs.every((o) => o === '' || dead.has(o)));
    const initializers = new Map([...graph.initializers].filter(([name]) => !dead.has(name)));
    const done = nodes.length === graph.nodes.length && initializers.size === graph.initializers.size;
    graph = {
      ...graph,
      nodes: nodes.map((n) => withGraphs(n, (inner) => withoutDead(inner, kept))),
      initializers,
    };
    if (done) return graph;
  }
}

/** The graph with inputs of nodes called otherwise, in subgraphs too. */
export function renameReads(graph: ModelGraph, names: ReadonlyMap<string, string>): ModelGraph {
  if (names.size === 0) return graph;
  return {
    ...graph,
    nodes: graph.nodes.map((node) =>
      withGraphs({ ...node, inputs: node.inputs.map((n) => names.get(n) ?? n) }, (g) =>
        renameReads(g, names),
      ),
    ),
  };
}
