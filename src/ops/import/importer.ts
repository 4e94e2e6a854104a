/** @file The walk over a file's nodes: each becomes nodes of the static graph, or nothing. */
import type { Builder } from '#src/graph/builder.ts';
import { reads, topological } from '#src/graph/topology.ts';
import { Contradiction, GraphError, type Value } from '#src/graph/types.ts';
import { settingInputs } from '#src/onnx/givenInputs.ts';
import { ModelError, type Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor } from '#src/onnx/tensor.ts';
import { checkArity } from '../checks/arity.ts';
import { contradicts } from '../entries/arguments.ts';
import { nodeLabel } from '../entries/common.ts';
import { withoutAxes } from '../movement/pads.ts';
import { isPart, unguarded } from '../normalisation/guardedSoftmax.ts';
import { sequenceOperators } from '../shapes/sequences.ts';
import { withoutCeil } from '../spatial/ceilMode.ts';
import { operatorKey, operators } from '../table.ts';
import { Folding } from './evaluation.ts';
import { checkOpset } from './opsets.ts';
import { Scope } from './scope.ts';
import { handedOn } from './simplify.ts';
import { inSingle } from './single.ts';

/** More numbers than any device holds: an absurd dimension, and products that no longer are exact. */
export function checkSize(name: string, { shape }: Value): void {
  if (sizeOf(shape) > 2 ** 40)
    throw new GraphError(
      `The value ${name} would have the shape [${shape.join(', ')}], which no device can hold. Check the model's dimensions.`,
    );
}

/** The beginning of a message about a node that the builder has named: after its operator, with a number. */
const madeUp = /^(\w+) \1_\d+: /;

export class Importer {
  readonly #nodeNames = new Set<string>();
  /** By output: nodes that may turn out to be parts of a guarded softmax. */
  readonly #makers = new Map<string, Node>();
  readonly #folding: Folding;

  constructor(
    readonly b: Builder,
    readonly version: number,
  ) {
    this.#folding = new Folding(b);
  }

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
    const value = this.#folding.weight(this.#free(name), constant);
    holder.values.set(name, value);
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
      this.#folding.folded(node) ??
      this.#reduced(node) ??
      operators[operatorKey(node)]?.expand?.(b, node, this.#folding.inputs(node)) ??
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
    const inputs = this.#folding.inputs(node);
    const x = handedOn(node, inputs, this.#folding.types(node, inputs)[0]!, this.#folding);
    return x && [x];
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
