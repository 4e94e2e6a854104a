/**
 * @file Nodes that compute what another has computed already, and views of views. One walk in the nodes' order; what nobody reads afterwards is for
 * `prune`.
 *
 * A rule of a gradient sees one node at a time, so that the same reshape of the same value is emitted by each of several rules, and a value that one rule
 * leaves as [N·T, C] is made [N, T, C] again by the next. Each costs ONNX Runtime 5 to 40 µs on WebAssembly and a dispatch, or a copy, on WebGPU.
 */
import { intsAttr } from '#src/graph/attributes.ts';
import { reads } from '#src/graph/topology.ts';
import type { Graph, GraphConstant, Shape, Value } from '#src/graph/types.ts';
import type { Attribute, Node } from '#src/onnx/model.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';

/** Operators that give their first input's elements in the same order. */
const views = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity']);
/** Operators whose result is another one in every run, or at every node. */
const unlike = /^(Random|Multinomial|Bernoulli|Dropout)/;
/** Constants up to so many bytes are compared by what they hold: larger ones may be run inputs, each with a buffer of its own (weights.ts). */
const SMALL = 1023;

const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** The same outputs from fewer nodes. Inputs, outputs and their names stay. */
export function mergeNodes(graph: Graph): Graph {
  const merger = new Merger(graph);
  for (const node of graph.nodes) merger.take(node);
  return merger.graph();
}

class Merger {
  readonly #graph: Graph;
  /** Names that must stay: of outputs, and of what branches take from around them. */
  readonly #outputs: ReadonlySet<string>;
  readonly #nodes: Node[] = [];
  readonly #values: Map<string, Value>;
  readonly #constants: Map<string, GraphConstant>;
  /** What stands for a value from now on. */
  readonly #instead = new Map<string, string>();
  readonly #producers = new Map<string, Node>();
  /** Outputs by what computes them. */
  readonly #known = new Map<string, readonly string[]>();
  /** Small constants by what they hold. */
  readonly #held = new Map<string, string>();
  /** Shapes by their numbers. */
  readonly #shapes = new Map<string, string>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#outputs = new Set([...graph.outputs.map((v) => v.name), ...graph.nodes.flatMap(captured)]);
    this.#values = new Map(graph.values);
    this.#constants = new Map(graph.constants);
    for (const [name, constant] of graph.constants) {
      const key = contentOf(constant);
      if (key === null) continue;
      const first = this.#held.get(key);
      if (first === undefined) this.#held.set(key, name);
      else if (!this.#outputs.has(name)) this.#instead.set(name, first);
    }
  }

  graph(): Graph {
    const { inputs, outputs } = this.#graph;
    return { inputs, outputs, nodes: this.#nodes, constants: this.#constants, values: this.#values };
  }

  readonly #now = (name: string): string => this.#instead.get(name) ?? name;

  take(given: Node): void {
    const node = { ...given, inputs: given.inputs.map(this.#now) };
    if (hasBranches(node)) this.#push(node);
    else if (this.#isView(node)) this.#view(node);
    else if (node.domain === '' && node.op === 'Transpose') this.#transpose(node);
    else this.#place(node);
  }

  /** A node as it is, or what computed the same before. */
  #place(node: Node): void {
    const key = unlike.test(node.op) ? null : keyOf(node);
    const before = key === null ? undefined : this.#known.get(key);
    const replaceable = node.outputs.every((o) => !this.#outputs.has(o));
    if (before && replaceable && before.length === node.outputs.length && covers(before, node.outputs)) {
      node.outputs.forEach((o, i) => o !== '' && this.#instead.set(o, before[i]!));
      return;
    }
    if (key !== null && !before) this.#known.set(key, node.outputs);
    this.#push(node);
  }

  #push(node: Node): void {
    this.#nodes.push(node);
    for (const o of node.outputs) if (o !== '') this.#producers.set(o, node);
  }

  #shapeOf(name: string): Shape {
    return this.#values.get(name)!.shape;
  }

  #isView(node: Node): boolean {
    return (
      node.domain === '' && (views.has(node.op) || (node.op === 'Transpose' && this.#movesNothing(node)))
    );
  }

  /** Whether only axes of length 1 change their places. */
  #movesNothing(node: Node): boolean {
    const shape = this.#shapeOf(node.inputs[0]!);
    const moved = permutation(node, shape.length).filter((axis) => shape[axis] !== 1);
    return moved.every((axis, i) => i === 0 || axis > moved[i - 1]!);
  }

  #view(node: Node): void {
    const out = node.outputs[0]!;
    const behind = this.#producers.get(node.inputs[0]!);
    const source = behind && this.#isView(behind) ? behind.inputs[0]! : node.inputs[0]!;
    const shape = this.#shapeOf(out);
    if (sameShape(this.#shapeOf(source), shape)) {
      if (this.#outputs.has(out)) this.#push({ ...plain(node, 'Identity'), inputs: [source] });
      else this.#instead.set(out, source);
      return;
    }
    const attributes: Node['attributes'] = shape.includes(0) ? { allowzero: { kind: 'int', value: 1 } } : {};
    this.#place({ ...plain(node, 'Reshape'), inputs: [source, this.#ints(shape)], attributes });
  }

  #transpose(node: Node): void {
    const behind = this.#producers.get(node.inputs[0]!);
    const whole = behind?.op === 'Transpose' && behind.domain === '' ? this.#joined(behind, node) : node;
    if (this.#movesNothing(whole)) this.#view(whole);
    else this.#place(whole);
  }

  /** Two transposes as one. */
  #joined(first: Node, second: Node): Node {
    const source = first.inputs[0]!;
    const rank = this.#shapeOf(source).length;
    const inner = permutation(first, rank);
    const value = permutation(second, rank).map((axis) => inner[axis]!);
    return { ...second, inputs: [source], attributes: { perm: { kind: 'ints', value } } };
  }

  /** The shape as a constant of the graph. */
  #ints(shape: Shape): string {
    const text = shape.join();
    const known = this.#shapes.get(text) ?? this.#newInts(shape);
    this.#shapes.set(text, known);
    return known;
  }

  #newInts(shape: Shape): string {
    const constant: GraphConstant = { ...constantOf(tensor('int64', [shape.length], shape)), computed: true };
    const key = contentOf(constant);
    const held = key === null ? undefined : this.#held.get(key);
    if (held !== undefined) return held;
    let name = `shape_${shape.join('x')}`;
    while (this.#values.has(name)) name += '_';
    this.#constants.set(name, constant);
    this.#values.set(name, { name, type: 'int64', shape: [shape.length] });
    if (key !== null) this.#held.set(key, name);
    return name;
  }
}

const plain = (node: Node, op: string): Node => ({ ...node, op, attributes: {} });

const hasBranches = (node: Node): boolean => Object.values(node.attributes).some((a) => a.kind === 'graph');

/** Names that a node's branches read from the graph around it. */
const captured = (node: Node): readonly string[] =>
  hasBranches(node) ? reads(node).filter((name) => !node.inputs.includes(name)) : [];

/** Whether every output that is asked for was made. */
const covers = (made: readonly string[], asked: readonly string[]): boolean =>
  asked.every((o, i) => o === '' || made[i] !== '');

const permutation = (node: Node, rank: number): readonly number[] =>
  intsAttr(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);

function keyOf({ op, domain, inputs, outputs, attributes }: Node): string | null {
  const names = Object.keys(attributes).toSorted();
  const texts = names.map((name) => attributeText(attributes[name]!));
  if (texts.includes(null)) return null;
  return [domain, op, outputs.length, names.join(), texts.join(), ...inputs].join('\n');
}

const attributeText = ({ kind, value }: Attribute): string | null =>
  kind === 'graph' || kind === 'tensor' ? null : `${kind}:${JSON.stringify(value)}`;

/** Type, shape and bytes of a small constant; null for others. */
function contentOf({ type, shape, data, by }: GraphConstant): string | null {
  if (by || data.kind !== 'inline' || data.bytes.byteLength > SMALL) return null;
  return `${type}[${shape.join()}]${data.bytes.join()}`;
}
