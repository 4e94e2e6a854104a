/** @file Emits nodes. Names are generated, constants shared, shapes inferred at once: a wrong rule fails where it is written. */
import type { Constant, DType, Node } from '#src/onnx/model.ts';
import { constantOf, tensor, tensorOf as tensorFrom, type Tensor } from '#src/onnx/tensor.ts';
import { type AttributeInput, attributes } from './attributes.ts';
import { type Graph, GraphError, type Shape, type Value, type ValueType } from './types.ts';

/** Shape inference for one node, given by the operator table. `constant(i)` is input i's value where it is a small constant. */
export type Infer = (
  node: Node,
  inputs: readonly (Value | null)[],
  constant: (i: number) => Tensor | undefined,
) => readonly ValueType[];

/** Gradient of a composite: the cotangent of its output in, cotangents of its inputs out (null: none). */
export type CompositeGrad = (cotangent: Value, wants: readonly boolean[]) => readonly (Value | null)[];

/** Several nodes that differentiate as one: reverse mode stops at `output` and goes on from `inputs`. */
export interface Composite {
  readonly label: string;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly grad: CompositeGrad;
}

export interface EmitOptions {
  readonly outputs?: number;
  readonly name?: string;
  readonly domain?: string;
  /** Names of the outputs, where a caller needs particular ones. */
  readonly outputNames?: readonly string[];
}

export class Builder {
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Constant>();
  readonly values = new Map<string, Value>();
  /** By output name. */
  readonly composites = new Map<string, Composite>();
  readonly #infer: Infer;
  readonly #shared = new Map<string, Value>();
  readonly #tensors = new Map<string, Tensor>();
  readonly #reserved = new Set<string>();
  /** Names of a graph that is taken over value by value. */
  readonly #foreign = new Set<string>();
  readonly #nodeNames = new Set<string>();
  #counter = 0;
  #role = '';

  /** An empty graph, or one that continues `graph`: its inputs, outputs, nodes and constants are taken over. */
  constructor(infer: Infer, graph?: Graph) {
    this.#infer = infer;
    if (!graph) return;
    this.inputs.push(...graph.inputs);
    this.outputs.push(...graph.outputs);
    this.nodes.push(...graph.nodes);
    for (const node of graph.nodes) this.#nodeNames.add(node.name);
    for (const [k, v] of graph.constants) this.constants.set(k, v);
    for (const [k, v] of graph.values) this.values.set(k, v);
  }

  /** Keeps names free for values that are added later under their own name. */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#reserved.add(name);
  }

  /** Takes over the inputs of a graph whose constants and nodes will follow: from now on no other value gets one of its names. */
  startFrom(graph: Graph): void {
    for (const v of graph.inputs) this.inputs.push(this.#add(v));
    for (const name of graph.values.keys()) this.#foreign.add(name);
  }

  #isTaken(name: string): boolean {
    return this.values.has(name) || this.#reserved.has(name) || this.#foreign.has(name);
  }

  /** A name not used yet. */
  fresh(stem: string): string {
    for (;;) {
      const name = `${stem}_${this.#counter++}`;
      if (!this.#isTaken(name)) return name;
    }
  }

  /** The name itself if no value has it or is to have it, else another: for values of our own beside those of a file, which may be called anything. */
  free(name: string): string {
    return this.#isTaken(name) ? this.fresh(name) : name;
  }

  #add(value: Value): Value {
    if (this.values.has(value.name))
      throw new GraphError(
        `Two values of the model are named ${value.name}; each must have a name of its own. Export the model again.`,
      );
    this.values.set(value.name, value);
    return value;
  }

  /** A further input, under another name where this one is taken. */
  input(asked: string, type: DType, shape: Shape): Value {
    const name = this.free(asked);
    const value = this.#add({ name, type, shape, ...(name !== asked && { asked }) });
    this.inputs.push(value);
    return value;
  }

  /** Declares an output, under another name where another value has this one. */
  output(value: Value, asked?: string): Value {
    let named = value;
    if (asked !== undefined && asked !== value.name) {
      const name = this.values.has(asked) || this.#foreign.has(asked) ? this.fresh(asked) : asked;
      named = this.emit('Identity', [value], {}, { outputNames: [name] });
      if (name !== asked) named = { ...named, asked };
    }
    this.outputs.push(named);
    return named;
  }

  value(name: string): Value {
    const value = this.values.get(name);
    if (!value)
      throw new GraphError(
        `The model has no value named ${name}. The file is damaged; export the model again.`,
      );
    return value;
  }

  /** A named initializer, large or small, inline or external. */
  initializer(name: string, constant: Constant): Value {
    this.constants.set(name, constant);
    return this.#add({ name, type: constant.type, shape: constant.shape });
  }

  /** A small constant; equal ones are shared. */
  constant(t: Tensor, stem = 'const'): Value {
    const key =
      t.data.length <= 64
        ? `${t.type}|${t.shape.join()}|${Array.from(t.data as ArrayLike<number | bigint>, (x) => (Object.is(x, -0) ? '-0' : String(x))).join()}`
        : undefined;
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known) return known;
    const value = this.initializer(this.fresh(stem), { ...constantOf(t), computed: true });
    this.#tensors.set(value.name, t);
    if (key !== undefined) this.#shared.set(key, value);
    return value;
  }

  scalar(x: number, type: DType = 'float32'): Value {
    return this.constant(tensor(type, [], [x]), 'scalar');
  }

  /** A 1-D int64 constant, for axes, shapes, sizes, starts and ends. */
  ints(values: readonly number[]): Value {
    return this.constant(tensor('int64', [values.length], values), 'ints');
  }

  /** The value of a constant, if `value` is an inline one of at most 1 MiB. */
  constantValue(value: Value | null | undefined): Tensor | undefined {
    if (!value) return undefined;
    const known = this.#tensors.get(value.name);
    if (known) return known;
    const c = this.constants.get(value.name);
    if (c?.data.kind !== 'inline' || c.data.bytes.byteLength > 1 << 20 || c.type === 'string')
      return undefined;
    const t = tensorFrom(c);
    this.#tensors.set(value.name, t);
    return t;
  }

  /** Emits a node and infers its outputs. An absent optional input is null. */
  emitAll(
    op: string,
    inputs: readonly (Value | null)[],
    attrs: Readonly<Record<string, AttributeInput | undefined>> = {},
    options: EmitOptions = {},
  ): Value[] {
    const count = options.outputs ?? options.outputNames?.length ?? 1;
    const stem = options.name ?? op;
    const outputs = options.outputNames ?? Array.from({ length: count }, () => this.fresh(stem));
    const node: Node = {
      op,
      domain: options.domain ?? '',
      name: `${this.#role}${options.name ?? outputs[0] ?? op}`,
      inputs: inputs.map((v) => v?.name ?? ''),
      outputs,
      attributes: attributes(attrs),
    };
    return this.append(node, inputs);
  }

  emit(
    op: string,
    inputs: readonly (Value | null)[],
    attrs: Readonly<Record<string, AttributeInput | undefined>> = {},
    options: EmitOptions = {},
  ): Value {
    return this.emitAll(op, inputs, attrs, options)[0]!;
  }

  #nodeName(node: Node): string {
    let { name } = node;
    while (name !== '' && this.#nodeNames.has(name)) name = `${node.name}_${this.#counter++}`;
    this.#nodeNames.add(name);
    return name;
  }

  /** What `emit` makes: the nodes' names say from now on, and until it is over, what they are for. Roles within roles are not kept: the innermost counts. */
  within<T>(role: string, make: () => T): T {
    const before = this.#role;
    this.#role = `${role}/`;
    try {
      return make();
    } finally {
      this.#role = before;
    }
  }

  /** Appends a finished node (as imported), under another name where a node has its own. `inputs` are looked up by name when not given. */
  append(
    node: Node,
    inputs: readonly (Value | null)[] = node.inputs.map((n) => (n === '' ? null : this.value(n))),
  ): Value[] {
    const types = this.#infer(node, inputs, (i) => this.constantValue(inputs[i]));
    const name = this.#nodeName(node);
    this.nodes.push(name === node.name ? node : { ...node, name });
    return node.outputs.map((output, i) => {
      const t = types[i];
      if (!t)
        throw new GraphError(
          `${node.op} ${node.name}: has ${node.outputs.length} outputs, of which only the first ${types.length} are supported. Export the model without the others.`,
        );
      return output === ''
        ? { name: output, ...t }
        : this.#add({ name: output, type: t.type, shape: t.shape });
    });
  }

  /** Appends a node of a finished graph with its outputs as that has them: nothing is inferred anew. */
  adopt(node: Node, values: ReadonlyMap<string, Value>): void {
    this.#nodeNames.add(node.name);
    this.nodes.push(node);
    for (const output of node.outputs) if (output !== '') this.#add(values.get(output)!);
  }

  /** All results of a node in the graph whose first ones alone were asked for: those, and so many in all. */
  extend(node: Node, count: number): Value[] {
    const at = this.nodes.findIndex((each) => each.outputs[0] === node.outputs[0]);
    const known = this.nodes[at]!;
    const outputs = Array.from({ length: count }, (_, i) =>
      known.outputs[i] ? known.outputs[i] : this.fresh(known.op),
    );
    const whole: Node = { ...known, outputs };
    const inputs = whole.inputs.map((name) => (name === '' ? null : this.value(name)));
    const types = this.#infer(whole, inputs, (i) => this.constantValue(inputs[i]));
    this.nodes[at] = whole;
    return outputs.map((name, i) => this.values.get(name) ?? this.#add({ name, ...types[i]! }));
  }

  /** Declares that `output`, made of any number of nodes from `inputs`, differentiates by `grad`. */
  composite(label: string, inputs: readonly Value[], output: Value, grad: CompositeGrad): Value {
    this.composites.set(output.name, { label, inputs, output, grad });
    return output;
  }

  /** The graph built so far. Composites are the builder's own and not part of it. */
  build(outputs: readonly Value[] = this.outputs): Graph {
    return {
      inputs: [...this.inputs],
      outputs: [...outputs],
      nodes: [...this.nodes],
      constants: new Map(this.constants),
      values: new Map(this.values),
    };
  }

  // Shorthands for what rules and losses use most.
  add(a: Value, b: Value): Value {
    return this.emit('Add', [a, b]);
  }
  sub(a: Value, b: Value): Value {
    return this.emit('Sub', [a, b]);
  }
  mul(a: Value, b: Value): Value {
    return this.emit('Mul', [a, b]);
  }
  div(a: Value, b: Value): Value {
    return this.emit('Div', [a, b]);
  }
  neg(a: Value): Value {
    return this.emit('Neg', [a]);
  }
  sqrt(a: Value): Value {
    return this.emit('Sqrt', [a]);
  }
  exp(a: Value): Value {
    return this.emit('Exp', [a]);
  }
  log(a: Value): Value {
    return this.emit('Log', [a]);
  }
  matMul(a: Value, b: Value): Value {
    return this.emit('MatMul', [a, b]);
  }
  transpose(a: Value, perm: readonly number[]): Value {
    return perm.every((p, i) => p === i) ? a : this.emit('Transpose', [a], { perm });
  }
  /** Swaps the last two axes. */
  mT(a: Value): Value {
    const perm = a.shape.map((_, i) => i);
    [perm[perm.length - 1], perm[perm.length - 2]] = [perm[perm.length - 2]!, perm[perm.length - 1]!];
    return this.transpose(a, perm);
  }
  reshape(a: Value, shape: Shape): Value {
    return a.shape.length === shape.length && a.shape.every((d, i) => d === shape[i])
      ? a
      : this.emit('Reshape', [a, this.ints(shape)], shape.includes(0) ? { allowzero: 1 } : {});
  }
  expand(a: Value, shape: Shape): Value {
    return this.emit('Expand', [a, this.ints(shape)]);
  }
  cast(a: Value, to: DType): Value {
    return a.type === to ? a : this.emit('Cast', [a], { to: castCodes[to] });
  }
  where(c: Value, a: Value, b: Value): Value {
    return this.emit('Where', [c, a, b]);
  }
  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 ? values[0]! : this.emit('Concat', values, { axis });
  }
  /** Parts of the given sizes. Many parts are cut in a tree, since each WebGPU dispatch binds few buffers. */
  split(a: Value, axis: number, sizes: readonly number[]): Value[] {
    if (sizes.length === 1) return [a];
    if (sizes.length <= mostOutputs)
      return this.emitAll('Split', [a, this.ints(sizes)], { axis }, { outputs: sizes.length });
    const width = Math.max(mostOutputs, Math.ceil(sizes.length / mostOutputs));
    const groups = Array.from({ length: Math.ceil(sizes.length / width) }, (_, i) =>
      sizes.slice(i * width, (i + 1) * width),
    );
    const totals = groups.map((group) => group.reduce((n, size) => n + size, 0));
    return this.split(a, axis, totals).flatMap((part, i) => this.split(part, axis, groups[i]!));
  }
  slice(
    a: Value,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ): Value {
    return this.emit('Slice', [a, this.ints(starts), this.ints(ends), this.ints(axes), this.ints(steps)]);
  }
  reduceSum(a: Value, axes: readonly number[], keepdims = false): Value {
    return axes.length === 0
      ? a
      : this.emit('ReduceSum', [a, this.ints(axes)], { keepdims: Number(keepdims) });
  }
  reduceMean(a: Value, axes: readonly number[], keepdims = false): Value {
    return axes.length === 0
      ? a
      : this.emit('ReduceMean', [a, this.ints(axes)], { keepdims: Number(keepdims) });
  }
}

/** Outputs of one Split: with its input they fill the 8 storage buffers that every WebGPU device binds at least. */
export const mostOutputs = 7;

/** ONNX TensorProto.DataType codes. */
export const castCodes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
};
