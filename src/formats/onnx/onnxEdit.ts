/** @file Edits of a decoded model: weights replaced where nodes read them, dead nodes left out, float16 storage, external data. */
import { reads } from '#src/graph/topology.ts';
import { numbersToHalves } from '#src/onnx/float16.ts';
import type { Attribute, Constant, ModelGraph, Node } from '#src/onnx/model.ts';
import { sizeOf, tensorOf } from '#src/onnx/tensor.ts';

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

/** Collects replacements of weights and carries them out at once. */
export class GraphEdit {
  readonly #graph: ModelGraph;
  readonly #names: Set<string>;
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

  finish(): ModelGraph {
    const rewire = (graph: ModelGraph): ModelGraph => ({
      ...graph,
      nodes: graph.nodes.map((node) => {
        const change = this.#inputs.get(node);
        const inner = withGraphs(node, rewire);
        return change
          ? { ...inner, inputs: node.inputs.map((n, i) => (i === change.input ? change.name : n)) }
          : inner;
      }),
    });
    const before = new Set(deadNames(this.#graph));
    let graph = withoutDead(rewire(this.#graph), before);
    const initializers = new Map(graph.initializers);
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
function renameReads(graph: ModelGraph, names: ReadonlyMap<string, string>): ModelGraph {
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

/** float32 matrices and kernels of at least so many numbers are worth halving; smaller ones may be operands that must stay constant. */
const WORTH_HALVING = 256;

/**
 * float32 initializers of two axes or more as float16, each behind a Cast back to float32, so that the computation stays float32. Tensors
 * with a number beyond float16's range stay.
 */
export function halved(graph: ModelGraph): ModelGraph {
  const names = namesIn(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const initializers = new Map<string, Constant>();
  const casts: Node[] = [];
  const renamed = new Map<string, string>();
  for (const [name, constant] of graph.initializers) {
    const half = outputs.has(name) ? undefined : asHalf(constant);
    initializers.set(name, half ?? constant);
    if (!half) continue;
    const wide = fresh(names, `${name}/float32`);
    renamed.set(name, wide);
    casts.push({
      op: 'Cast',
      domain: '',
      name: fresh(names, `${name}/Cast`),
      inputs: [name],
      outputs: [wide],
      attributes: { to: { kind: 'int', value: 1 } },
    });
  }
  const rest = renameReads(graph, renamed);
  return { ...rest, initializers, nodes: [...casts, ...rest.nodes] };
}

function asHalf(constant: Constant): Constant | undefined {
  if (constant.type !== 'float32' || constant.shape.length < 2 || sizeOf(constant.shape) < WORTH_HALVING)
    return undefined;
  // Of a model whose weights were not all read there is nothing to halve.
  if (constant.data.kind === 'external') return undefined;
  const values = tensorOf(constant).data as Float32Array;
  const bits = numbersToHalves(values);
  // An infinity, or no number.
  if (bits.some((each) => (each & 0x7c00) === 0x7c00)) return undefined;
  return {
    type: 'float16',
    shape: constant.shape,
    data: { kind: 'inline', bytes: new Uint8Array(bits.buffer) },
  };
}

/** ONNX recommends that external tensors start at pages, so that they can be mapped. */
const PAGE = 4096;
/** Smaller tensors stay in the model's file. */
const WORTH_MOVING = 1024;

/** The graph with its larger initializers as ranges of one data file, and that file. */
export function externalised(
  graph: ModelGraph,
  location: string,
): { readonly graph: ModelGraph; readonly data: Uint8Array } {
  const initializers = new Map<string, Constant>();
  const parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  let end = 0;
  for (const [name, constant] of graph.initializers) {
    const { data } = constant;
    if (data.kind !== 'inline' || data.bytes.length < WORTH_MOVING) {
      initializers.set(name, constant);
      continue;
    }
    const offset = Math.ceil(end / PAGE) * PAGE;
    end = offset + data.bytes.length;
    parts.push({ offset, bytes: data.bytes });
    initializers.set(name, {
      ...constant,
      data: { kind: 'external', location, offset, length: data.bytes.length },
    });
  }
  const all = new Uint8Array(end);
  for (const { offset, bytes } of parts) all.set(bytes, offset);
  return { graph: { ...graph, initializers }, data: all };
}
