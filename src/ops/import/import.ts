/** @file Model → static Graph: dimensions bound, opset converted, shape arithmetic folded, dead and idle nodes gone. */
import { bindGiven, bindInputs } from '#src/graph/bind.ts';
import { prune } from '#src/graph/prune.ts';
import { reads, topological } from '#src/graph/topology.ts';
import { Contradiction, type Graph, GraphError, type Value, type ValueType } from '#src/graph/types.ts';
import type { Builder } from '#src/graph/builder.ts';
import { type Constant, type DType, type Model, ModelError, type Node } from '#src/onnx/model.ts';
import { settingInputs } from '#src/onnx/givenInputs.ts';
import { computed, single } from '#src/onnx/single.ts';
import { constantOf, numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { checkArity } from '../checks/arity.ts';
import { withoutCeil } from '../spatial/ceilMode.ts';
import { contradicts } from '../entries/arguments.ts';
import { nodeLabel } from '../entries/common.ts';
import { withoutAxes } from '../movement/pads.ts';
import { isPart, unguarded } from '../normalisation/guardedSoftmax.ts';
import { inSingle } from './single.ts';
import { Scope } from './scope.ts';
import { sequenceOperators } from '../shapes/sequences.ts';
import { fillingInputs, handedOn, type Knowledge } from './simplify.ts';
import { builder, infer, operatorKey, operators } from '../table.ts';

/** Results of folding are kept up to this many elements; a larger one is computed at run time. */
const FOLD_LIMIT = 65_536;

/** Versions of the standard operators that are read. */
export const oldestOpset = 7;
export const newestOpset = 26;

/**
 * The model as a static graph in opset 21, in float32 where the file has float16, bfloat16 or float64: inputs and outputs, too.
 *
 * Folding stops at weights: a float tensor (no scalar) that the file holds stays a constant of its own, under its own
 * name, with the nodes between it and its use (Transpose, Cast …), so that it can be trained. Only tables of sines and cosines are
 * folded through it: WebGPU's are inexact, and no weight lies behind one.
 *
 * @param dims sizes of the symbolic dimensions, see {@link bindInputs}.
 * @throws GraphError or ModelError naming the node, the operator and the way out.
 */
export function importGraph(model: Model, dims: Readonly<Record<string, number>> = {}): Graph {
  const version = model.opsets.get('');
  if (version === undefined)
    throw new ModelError(
      'The model does not say which version of the ONNX operators it uses. Export it again.',
    );
  checkOpset(version, 'The model');
  const b = builder();
  const bound = bindInputs(model, dims);
  for (const v of bound)
    if (b.input(v.name, computed(v.type), v.shape).name !== v.name) throw twice('inputs', v.name);
  const importer = new Importer(b, version);
  const scope = new Scope(model.graph);
  for (const v of b.inputs) {
    scope.values.set(v.name, v);
    checkSize(v.name, v);
  }
  // No weights: they are folded, shapes and branches that depend on them are known.
  for (const [name, value] of bindGiven(model, dims, bound))
    scope.values.set(name, b.initializer(name, single(constantOf(value))));
  importer.run(scope);
  for (const { name } of model.graph.outputs)
    if (b.output(importer.value(scope, name), name).name !== name) throw twice('values', name);
  return prune(b.build());
}

const twice = (what: string, name: string): ModelError =>
  new ModelError(`Two ${what} of the model are named ${name}. The file is damaged; export the model again.`);

/** Throws ModelError for a version of the standard operators that is not read. */
function checkOpset(version: number, who: string): void {
  if (version >= oldestOpset && version <= newestOpset) return;
  const cure =
    version < oldestOpset
      ? 'Convert it by onnx.save(onnx.version_converter.convert_version(onnx.load("model.onnx"), 13), "new.onnx") in Python, or export it again.'
      : 'Export it again with opset 17 or so.';
  throw new ModelError(
    `${who} uses ONNX opset ${version}; ${oldestOpset} to ${newestOpset} are supported. ${cure}`,
  );
}

/** More numbers than any device holds: an absurd dimension, and products that no longer are exact. */
function checkSize(name: string, { shape }: Value): void {
  if (sizeOf(shape) > 2 ** 40)
    throw new GraphError(
      `The value ${name} would have the shape [${shape.join(', ')}], which no device can hold. Check the model's dimensions.`,
    );
}

/** Types whose constants are indices, shapes and masks; all others are weights or their quantised values. */
const arithmetic: readonly DType[] = ['int64', 'int32', 'bool'];

const isWeight = (c: Pick<Constant, 'type' | 'shape'>): boolean =>
  !arithmetic.includes(c.type) && c.shape.length > 0;

const packed: readonly DType[] = ['int4', 'uint4', 'string'];

/** The beginning of a message about a node that the builder has named: after its operator, with a number. */
const madeUp = /^(\w+) \1_\d+: /;

class Importer implements Knowledge {
  /** Values that derive from weights: known, but not folded; the function gives the value when a table asks for it. */
  readonly #derived = new Map<string, () => Tensor | undefined>();
  /** By value: the number that it holds everywhere; undefined: it is not uniform. */
  readonly #fills = new Map<string, number | undefined>();
  readonly #nodeNames = new Set<string>();
  /** By output: nodes that may turn out to be parts of a guarded softmax. */
  readonly #makers = new Map<string, Node>();
  constructor(
    readonly b: Builder,
    readonly version: number,
  ) {}

  /** Imports the nodes that the scope's outputs need. */
  run(scope: Scope): void {
    this.b.reserve(scope.graph.initializers.keys());
    // A node that is made up is named after its output, and must not get the name of one of the file's.
    for (const node of scope.graph.nodes) this.b.reserve([node.name, ...node.outputs]);
    const ordered = topological(scope.graph.nodes, (name) => scope.knows(name));
    const needed = new Set(scope.graph.outputs.map((v) => v.name));
    const live: Node[] = [];
    for (let i = ordered.length - 1; i >= 0; i--) {
      const node = ordered[i]!;
      if (!node.outputs.some((o) => needed.has(o))) continue;
      live.push(node);
      for (const name of reads(node)) if (name !== '') needed.add(name);
    }
    for (let i = live.length - 1; i >= 0; i--) this.#import(scope, live[i]!);
  }

  /** The value of a name of the file; an initializer joins the graph when it is first asked for. */
  value(scope: Scope, name: string): Value {
    const known = scope.find(name);
    if (known) return known;
    const holder = scope.holder(name);
    const constant = holder?.graph.initializers.get(name);
    if (!holder || !constant)
      throw new ModelError(
        `The model asks for the value "${name}", which nothing produces. The file is damaged; export the model again.`,
      );
    const value = this.#weight(name, constant);
    holder.values.set(name, value);
    return value;
  }

  #weight(name: string, constant: Constant): Value {
    const value = this.b.initializer(this.#free(name), single(constant));
    if (isWeight(constant) && !packed.includes(constant.type))
      this.#derived.set(value.name, () => this.b.constantValue(value));
    return value;
  }

  /** The node's name, or its output's where it has none; with a number where another node has it. */
  #nodeName(node: Node): string {
    const base = node.name || node.outputs.find((o) => o !== '') || node.op;
    let name = base;
    for (let i = 1; this.#nodeNames.has(name); i++) name = `${base}/${i}`;
    this.#nodeNames.add(name);
    return name;
  }

  /** The name, unless another branch of the file has taken it. */
  #free(name: string): string {
    return this.b.values.has(name) ? this.b.fresh(name) : name;
  }

  /** Imports a node; an error of one that is made up on the way is the file's node's. */
  #import(scope: Scope, read: Node): void {
    try {
      this.#take(scope, read);
    } catch (error) {
      if (error instanceof GraphError && madeUp.test(error.message))
        throw new GraphError(error.message.replace(madeUp, `${nodeLabel(read)}: `), { cure: error.cure });
      throw error;
    }
  }

  #take(scope: Scope, read: Node): void {
    const { b } = this;
    checkArity(read);
    const { opset, ...plain } = read;
    const original = inSingle(plain);
    if (this.#special(scope, original, read.opset ?? this.version)) return;
    const inputs = original.inputs.map((n) => (n === '' ? null : this.value(scope, n)));
    let node: Node = {
      ...original,
      name: this.#nodeName(original),
      inputs: inputs.map((v) => v?.name ?? ''),
      outputs: original.outputs.map((o) => (o === '' ? '' : this.#free(o))),
    };
    const operator = operators[operatorKey(node)];
    const version = opset ?? this.version;
    if (opset !== undefined) checkOpset(version, `A function of the model (node ${original.name})`);
    if (node.domain === '' && version !== 21 && operator?.convert) node = operator.convert(node, version, b);
    if (node.op === 'Pad' && node.domain === '') node = withoutAxes(b, node, inputs);
    if (node.domain === '') node = withoutCeil(b, node, inputs[0]);
    const values =
      this.#folded(node, original) ??
      this.#reduced(node) ??
      operators[operatorKey(node)]?.expand?.(b, node, this.#inputs(node)) ??
      b.append(node);
    if (isPart(node)) this.#makers.set(node.outputs[0]!, node);
    original.outputs.forEach((name, i) => {
      if (name === '') return;
      scope.values.set(name, values[i]!);
      checkSize(name, values[i]!);
    });
  }

  /** What stands for the node where it need not be one: its input, which its output is again; or a softmax that needs no guard. */
  #reduced(node: Node): readonly Value[] | undefined {
    if (node.domain !== '' || node.outputs.length !== 1) return undefined;
    const softmax = unguarded(this.b, node, this.#makers);
    if (softmax) return [softmax];
    const inputs = this.#inputs(node);
    const x = handedOn(node, inputs, this.#types(node, inputs)[0]!, this);
    return x && [x];
  }

  constant(value: Value): Tensor | undefined {
    return this.b.constantValue(value);
  }

  fill(value: Value): number | undefined {
    if (this.#derived.has(value.name)) return undefined;
    if (this.#fills.has(value.name)) return this.#fills.get(value.name);
    const t = this.b.constantValue(value);
    const values = t && !packed.includes(t.type) ? numbersOf(t) : [];
    const fill = values.length > 0 && values.every((x) => x === values[0]) ? values[0] : undefined;
    this.#fills.set(value.name, fill);
    return fill;
  }

  /** A float tensor that is uniform but too large to fold: one number, expanded. */
  #uniform(node: Node, inputs: readonly (Value | null)[]): readonly Value[] | undefined {
    const { b } = this;
    const fold = operators[operatorKey(node)]?.fold;
    const type = this.#types(node, inputs)[0]!;
    let one: Tensor | undefined;
    if (node.op === 'ConstantOfShape') one = fold?.(node, [tensor('int64', [0], [])])?.[0];
    else {
      const sources = fillingInputs(node)?.map((i) => inputs[i] ?? null);
      const fills = sources?.map((v) => v && this.fill(v));
      if (!sources || !fills?.every((x) => typeof x === 'number')) return undefined;
      const scalars = sources.map((v, i) => tensor(v!.type, [], [fills[i]!]));
      one =
        sources.length < inputs.length || node.op === 'Transpose' ? scalars[0] : fold?.(node, scalars)?.[0];
    }
    if (one?.data.length !== 1) return undefined;
    const value = b.expand(b.constant(one), type.shape);
    this.#fills.set(value.name, numbersOf(one)[0]);
    return [value];
  }

  #inputs(node: Node): (Value | null)[] {
    return node.inputs.map((n) => (n === '' ? null : this.b.value(n)));
  }

  #types(node: Node, inputs: readonly (Value | null)[]): readonly ValueType[] {
    return infer(node, inputs, (i) => this.b.constantValue(inputs[i]));
  }

  /** Evaluates a node on constants; undefined: it stays a node. */
  #folded(node: Node, original: Node): readonly Value[] | undefined {
    const { b } = this;
    const operator = operators[operatorKey(node)];
    const inputs = this.#inputs(node);
    if (node.op === 'Constant' && node.domain === '') {
      const { value, value_floats: floats } = node.attributes;
      const constant =
        floats?.kind === 'floats'
          ? constantOf(tensor('float32', [floats.value.length], floats.value))
          : value?.kind === 'tensor'
            ? value.value
            : undefined;
      if (constant && isWeight(constant) && sizeOf(constant.shape) > 1)
        return [this.#weight(this.#free(original.outputs[0]!), constant)];
    }
    if ((node.op === 'Shape' || node.op === 'Size') && node.domain === '') {
      // The values do not matter, only the shape.
      const hollow: Tensor = { type: 'float32', shape: inputs[0]?.shape ?? [], data: new Float32Array(0) };
      return this.#constants(operator?.fold?.(node, [hollow]), node);
    }
    if (!operator?.fold || inputs.some((v) => v && packed.includes(v.type))) return undefined;
    const fromWeights = inputs.some((v) => v && this.#derived.has(v.name));
    if (!fromWeights) {
      const tensors = inputs.map((v) => (v ? b.constantValue(v) : null));
      if (
        tensors.includes(undefined) &&
        !inputs.every((v) => !v || b.constants.has(v.name) || this.#fills.has(v.name))
      )
        return undefined;
      if (tensors.includes(undefined) || this.#tooLarge(node, inputs)) return this.#uniform(node, inputs);
      return this.#constants(operator.fold(node, tensors as (Tensor | null)[]), node);
    }
    if (inputs.some((v) => v && !this.#derived.has(v.name) && !b.constants.has(v.name))) return undefined;
    if (this.#tooLarge(node, inputs)) return undefined;
    const evaluate = once(() => {
      const tensors = inputs.map((v) => (v ? (this.#derived.get(v.name)?.() ?? b.constantValue(v)) : null));
      return tensors.includes(undefined) ? undefined : operator.fold?.(node, tensors as (Tensor | null)[]);
    });
    if (node.op === 'Sin' || node.op === 'Cos') return this.#constants(evaluate(), node);
    node.outputs.forEach((name, i) => {
      if (name !== '') this.#derived.set(name, () => evaluate()?.[i]);
    });
    return undefined;
  }

  #tooLarge(node: Node, inputs: readonly (Value | null)[]): boolean {
    return this.#types(node, inputs).some((t) => sizeOf(t.shape) > FOLD_LIMIT);
  }

  #constants(results: readonly Tensor[] | undefined, node: Node): readonly Value[] | undefined {
    return results?.map((t) => this.b.constant(t, node.outputs[0] || 'folded'));
  }

  /** Nodes that are no operator of the static graph: idle ones, branches, sequences. */
  #special(scope: Scope, node: Node, version: number): boolean {
    if (node.domain !== '') return false;
    const at = (i: number): Value =>
      this.value(scope, node.inputs[i] ?? contradicts(node, `input ${i} is missing.`));
    const set = (i: number, value: () => Value): void => {
      const name = node.outputs[i];
      if (name) scope.values.set(name, value());
    };
    if (node.op === 'Identity') {
      const items = scope.sequence(node.inputs[0] ?? '');
      if (items) scope.sequences.set(node.outputs[0]!, items);
      else set(0, () => at(0));
      return true;
    }
    if (node.op === 'Dropout') {
      set(0, () => at(0));
      // Below opset 10 the mask has the data's type, and ONNX Runtime fills it with zeros below opset 12.
      const type = version < 10 ? at(0).type : 'bool';
      set(1, () => this.b.expand(this.b.constant(tensor(type, [], [version < 12 ? 0 : 1])), at(0).shape));
      return true;
    }
    if (node.op === 'If') {
      this.#branch(scope, node, at(0));
      return true;
    }
    const sequence = sequenceOperators[node.op];
    if (!sequence) return false;
    const result = sequence({
      b: this.b,
      node,
      value: (i) => (node.inputs[i] ? at(i) : undefined),
      sequence: (i) => scope.sequence(node.inputs[i] ?? ''),
    });
    if (Array.isArray(result)) scope.sequences.set(node.outputs[0]!, result as readonly Value[]);
    else set(0, () => result as Value);
    return true;
  }

  /** Writes out the branch that an If takes. */
  #branch(scope: Scope, node: Node, condition: Value): void {
    const known = this.b.constantValue(condition);
    if (!known)
      throw new Contradiction(
        `If ${node.name}: its condition depends on the input data, but the graph must be the same for all. ${this.b.inputs.includes(condition) ? `The input ${condition.name} decides: ${settingInputs(condition.name)}` : 'Export the model without the branch.'}`,
      );
    const key = numbersOf(known)[0] ? 'then_branch' : 'else_branch';
    const attribute = node.attributes[key];
    if (attribute?.kind !== 'graph') contradicts(node, `has no ${key}.`);
    const inner = new Scope(attribute.value, scope);
    this.run(inner);
    node.outputs.forEach((name, i) => {
      const result = attribute.value.outputs[i]?.name;
      if (name === '' || result === undefined) return;
      const items = inner.sequence(result);
      if (items) scope.sequences.set(name, items);
      else scope.values.set(name, this.value(inner, result));
    });
  }
}

/** The function's result, computed at the first call. */
function once<T>(f: () => T): () => T {
  let result: { value: T } | undefined;
  return () => (result ??= { value: f() }).value;
}
