/**
 * @file The walk over a file's nodes that makes a float graph of one that computes on integers: which values are whole numbers that stand for real
 * ones, what is known of constants, and the nodes that are written.
 */
import { reads, readersOf, topological } from '#src/graph/topology.ts';
import { constantOfNode } from '#src/onnx/constantNodes.ts';
import type { Attribute, Attributes, Constant, DType, ModelGraph, Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, sizeOf, tensor, tensorOf } from '#src/onnx/tensor.ts';
import { checkArity } from '../checks/arity.ts';
import { fail } from '../entries/arguments.ts';
import type { Rounding, StandIn } from './types.ts';

/** Writes a node in float; false: it is to stay as it is. */
export type Rewrite = (walk: Walk, node: Node) => boolean;

/** What all graphs of a model share while it is rewritten. */
export interface Shared {
  readonly version: number;
  readonly rounding: Rounding;
  readonly names: Set<string>;
  readonly rewrites: ReadonlyMap<string, Rewrite>;
}

export const keyOf = (node: Pick<Node, 'op' | 'domain'>): string =>
  node.domain === '' ? node.op : `${node.domain}::${node.op}`;

export interface Written {
  readonly attributes?: Attributes | undefined;
  readonly domain?: string;
  readonly name?: string;
  /** Names of the outputs; absent: one, made up. */
  readonly outputs?: readonly string[];
}

export class Walk {
  readonly nodes: Node[] = [];
  readonly initializers: Map<string, Constant>;
  readonly #graph: ModelGraph;
  readonly #ordered: readonly Node[];
  readonly #readers: ReadonlyMap<string, readonly Node[]>;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #standIns = new Map<string, StandIn>();
  readonly #aliases = new Map<string, string>();
  readonly #dependent = new Set<string>();
  /** Nodes that are part of another's rewriting, and what the last of them then writes. */
  readonly #absorbed = new Map<Node, (() => void) | null>();
  readonly #shared = new Map<string, string>();
  /** Names of the least and the greatest number of values that were clipped. */
  readonly #limits = new Map<string, readonly [string, string]>();

  constructor(
    graph: ModelGraph,
    readonly context: Shared,
    readonly outer?: Walk,
  ) {
    this.#graph = graph;
    this.initializers = new Map(graph.initializers);
    this.#ordered = topological(graph.nodes, () => true);
    this.#readers = readersOf(graph.nodes);
    this.#producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
    for (const { name } of graph.inputs) this.#dependent.add(name);
    for (const { name } of graph.given ?? []) this.#dependent.delete(name);
  }

  run(): ModelGraph {
    for (const node of this.#ordered) this.#take(node);
    for (const { name } of this.#graph.outputs) this.#hand(name);
    return { ...this.#graph, nodes: this.nodes, initializers: this.initializers };
  }

  #take(node: Node): void {
    if (reads(node).some((name) => this.depends(name)))
      for (const o of node.outputs) if (o !== '') this.#dependent.add(o);
    const absorbed = this.#absorbed.get(node);
    if (absorbed !== undefined) {
      absorbed?.();
      return;
    }
    const rewrite = this.context.rewrites.get(keyOf(node));
    if (rewrite) checkArity(node);
    if (rewrite?.(this, node)) return;
    const stuck = node.inputs.find((name) => this.standIn(name));
    if (stuck !== undefined)
      fail(
        node,
        `reads the rounded activations ${stuck}, which it cannot be trained on. Use the model before it was quantised.`,
      );
    this.nodes.push({
      ...node,
      inputs: node.inputs.map((name) => this.resolve(name)),
      attributes: this.#inner(node.attributes),
    });
  }

  #inner(attributes: Attributes): Attributes {
    if (!Object.values(attributes).some((a) => a.kind === 'graph')) return attributes;
    return Object.fromEntries(
      Object.entries(attributes).map(([key, a]): [string, Attribute] => [
        key,
        a.kind === 'graph' ? { ...a, value: new Walk(a.value, this.context, this).run() } : a,
      ]),
    );
  }

  /** Gives an output of the graph its own name, and whole numbers where the file has some. */
  #hand(name: string): void {
    const whole = this.standIn(name);
    const from: Node = { op: 'output', domain: '', name, inputs: [name], outputs: [name], attributes: {} };
    if (whole && whole.type !== 'uint8' && whole.type !== 'int8')
      fail(
        from,
        `holds sums of whole numbers (${whole.type}), which no loss compares with anything. Export the model with its outputs in float.`,
      );
    if (whole) this.emit(from, 'QuantizeLinear', [whole.real, whole.scale, whole.zero], { outputs: [name] });
    else if (this.resolve(name) !== name)
      this.emit(from, 'Identity', [this.resolve(name)], { outputs: [name] });
  }

  /** The constant of that name: an initializer, or what a Constant node makes. */
  constant(name: string): Constant | undefined {
    const own = this.initializers.get(this.resolve(name));
    if (own) return own;
    const node = this.#producers.get(name);
    return node ? constantOfNode(node) : this.outer?.constant(name);
  }

  /** The numbers of a constant, where they lie in the model's own file. */
  numbers(name: string): readonly number[] | undefined {
    const c = this.constant(name);
    if (c?.data.kind !== 'inline' || c.type === 'string' || /int4$/.test(c.type)) return undefined;
    return numbersOf(tensorOf(c));
  }

  /** Whether the value follows from the model's inputs. */
  depends(name: string): boolean {
    return this.#dependent.has(name) || (this.outer?.depends(name) ?? false);
  }

  producer(name: string): Node | undefined {
    return this.#producers.get(name) ?? this.outer?.producer(name);
  }

  /** The one node that reads a value; undefined: none does, several do, or it is an output of the graph. */
  soleReader(name: string): Node | undefined {
    const readers = this.#readers.get(name) ?? [];
    const only = readers.length === 1 ? readers[0] : undefined;
    const inside = only && !only.inputs.includes(name);
    return inside || this.#graph.outputs.some((o) => o.name === name) ? undefined : only;
  }

  standIn(name: string): StandIn | undefined {
    return this.#standIns.get(name) ?? this.outer?.standIn(name);
  }

  stand(name: string, as: StandIn): void {
    if (name !== '') this.#standIns.set(name, as);
  }

  /** From here on the name is another's. */
  alias(name: string, of: string): void {
    if (name !== '') this.#aliases.set(name, of);
  }

  resolve(name: string): string {
    return this.#aliases.get(name) ?? this.outer?.resolve(name) ?? name;
  }

  /** Leaves nodes to another's rewriting; where the last of them stands, `write` is called. */
  absorb(nodes: readonly Node[], write: () => void): void {
    nodes.forEach((node, i) => this.#absorbed.set(node, i === nodes.length - 1 ? write : null));
  }

  fresh(wanted: string): string {
    const { names } = this.context;
    let name = wanted;
    for (let i = 2; names.has(name); i++) name = `${wanted}_${i}`;
    names.add(name);
    return name;
  }

  /** Writes a node in the place of `from`; the name of its first output. */
  emit(
    from: Node,
    op: string,
    inputs: readonly string[],
    { attributes = {}, domain = '', name, outputs }: Written = {},
  ): string {
    const made = outputs ?? [this.fresh(`${from.outputs[0]}/${op}`)];
    const given = inputs.map((n) => this.resolve(n));
    while (given.at(-1) === '') given.pop();
    const title = name ?? this.fresh(`${from.name || from.outputs[0]!}/${op}`);
    this.nodes.push({
      op,
      domain,
      name: title,
      inputs: given,
      outputs: made,
      attributes,
      ...(from.opset !== undefined && { opset: from.opset }),
    });
    if (given.some((n) => this.depends(n))) for (const o of made) this.#dependent.add(o);
    return made[0]!;
  }

  /** What `make` names, once for each key. */
  once(key: string, make: () => string): string {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.#shared.set(key, name);
    return name;
  }

  /** An initializer of our own; equal ones of at most a few numbers are one. */
  store(stem: string, type: DType, shape: readonly number[], values: readonly number[]): string {
    const key = `${type}|${shape.join()}|${values.join()}`;
    const known = sizeOf(shape) > 1 ? undefined : this.#shared.get(key);
    if (known !== undefined) return known;
    const name = this.fresh(stem);
    this.initializers.set(name, constantOf(tensor(type, shape, values)));
    this.#shared.set(key, name);
    return name;
  }

  /** The operator that makes a value of the written graph; undefined: none, or one around it does. */
  writtenBy(name: string): string | undefined {
    const node = this.nodes.findLast((n) => n.outputs.includes(name));
    return node && keyOf(node);
  }

  /** The value lies between two constants from now on. */
  limit(name: string, low: string, high: string): void {
    this.#limits.set(name, [low, high]);
  }

  clipped(name: string, low: string, high: string): boolean {
    const known = this.#limits.get(name);
    return known ? known[0] === low && known[1] === high : (this.outer?.clipped(name, low, high) ?? false);
  }

  /** What moves numbers about leaves them within their limits. */
  sameLimits(name: string, as: string): void {
    const known = this.#limits.get(as);
    if (known) this.#limits.set(name, known);
  }

  /** The scale of whole numbers that stand for themselves. */
  get one(): string {
    return this.store('scale/one', 'float32', [], [1]);
  }
}
