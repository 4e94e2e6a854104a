/** @file What is known of values while a model is imported, and the evaluation of nodes on it. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value, ValueType } from '#src/graph/types.ts';
import { constantOfNode } from '#src/onnx/constantNodes.ts';
import type { Constant, DType, Node } from '#src/onnx/model.ts';
import { single } from '#src/onnx/single.ts';
import { numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { infer, operatorKey, operators } from '../table.ts';
import { fillingInputs, type Knowledge } from './simplify.ts';

/** Results of folding are kept up to this many elements; a larger one is computed at run time. */
const FOLD_LIMIT = 65_536;

/** Types whose constants are indices, shapes and masks; all others are weights or their quantised values. */
const arithmetic: readonly DType[] = ['int64', 'int32', 'bool'];

const isWeight = (c: Pick<Constant, 'type' | 'shape'>): boolean =>
  !arithmetic.includes(c.type) && c.shape.length > 0;

const packed: readonly DType[] = ['int4', 'uint4', 'string'];

export class Folding implements Knowledge {
  /** Values that derive from weights: known, but not folded; the function gives the value when a table asks for it. */
  readonly #derived = new Map<string, () => Tensor | undefined>();
  /** By value: the number that it holds everywhere; undefined: it is not uniform. */
  readonly #fills = new Map<string, number | undefined>();

  constructor(readonly b: Builder) {}

  /** A weight of the file under a name that is free. */
  weight(name: string, constant: Constant): Value {
    const value = this.b.initializer(name, single(constant));
    if (isWeight(constant) && !packed.includes(constant.type))
      this.#derived.set(value.name, () => this.b.constantValue(value));
    return value;
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

  /** Evaluates a node on constants; undefined: it stays a node. */
  folded(node: Node): readonly Value[] | undefined {
    const { b } = this;
    const operator = operators[operatorKey(node)];
    const inputs = this.inputs(node);
    if (node.op === 'Constant' && node.domain === '') {
      const constant = constantOfNode(node);
      if (constant && isWeight(constant) && sizeOf(constant.shape) > 1)
        return [this.weight(node.outputs[0]!, constant)];
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

  /** A float tensor that is uniform but too large to fold: one number, expanded. */
  #uniform(node: Node, inputs: readonly (Value | null)[]): readonly Value[] | undefined {
    const { b } = this;
    const fold = operators[operatorKey(node)]?.fold;
    const type = this.types(node, inputs)[0]!;
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

  /** A node's inputs; null: left out. */
  inputs(node: Node): (Value | null)[] {
    return node.inputs.map((n) => (n === '' ? null : this.b.value(n)));
  }

  /** Types of its outputs. */
  types(node: Node, inputs: readonly (Value | null)[]): readonly ValueType[] {
    return infer(node, inputs, (i) => this.b.constantValue(inputs[i]));
  }

  #tooLarge(node: Node, inputs: readonly (Value | null)[]): boolean {
    return this.types(node, inputs).some((t) => sizeOf(t.shape) > FOLD_LIMIT);
  }

  #constants(results: readonly Tensor[] | undefined, node: Node): readonly Value[] | undefined {
    return results?.map((t) => this.b.constant(t, node.outputs[0] || 'folded'));
  }
}

/** The function's result, computed at the first call. */
function once<T>(f: () => T): () => T {
  let result: { value: T } | undefined;
  return () => (result ??= { value: f() }).value;
}
