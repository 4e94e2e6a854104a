/** @file What the table says of one ONNX operator: shape, gradient, folding, lowering. One entry per operator, keyed by its exact name. */
import type { Builder, Infer } from '#src/graph/builder.ts';
import type { Value, ValueType } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import type { Tensor } from '#src/onnx/tensor.ts';

export interface ShapeContext {
  readonly node: Node;
  readonly inputs: readonly (Value | null)[];
  /** The value of input i where it is a constant (axes, shapes, pads …). */
  constant(i: number): Tensor | undefined;
  /** The table's shape inference, for an operator whose shapes are those of its parts. */
  readonly infer: Infer;
}

export interface GradContext {
  /** Emits the gradient's nodes; everything of the forward graph can be used as an operand. */
  readonly g: Builder;
  readonly node: Node;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  /** Cotangent of each output; null: zero. At least one is given. */
  readonly grads: readonly (Value | null)[];
  /** Which inputs want a gradient; a rule may skip the others. */
  readonly wants: readonly boolean[];
  constant(i: number): Tensor | undefined;
}

/**
 * Gradients by input; null or missing: none. A gradient may have the broadcast (larger) shape of the output:
 * the driver sums it down to the input's. It must have the input's element type.
 */
export type GradRule = (ctx: GradContext) => readonly (Value | null)[];

export interface Operator {
  /** Output types. Throws GraphError that names the node for inputs that do not fit. */
  readonly shape: (ctx: ShapeContext) => readonly ValueType[];
  /** 'none': differentiable nowhere (comparisons, ArgMax …), the cotangent stops here. undefined: not supported yet, an error if a gradient must pass. */
  readonly grad?: GradRule | 'none';
  /** Evaluates on constants: shape arithmetic. undefined result: not for these inputs. */
  readonly fold?: (node: Node, inputs: readonly (Tensor | null)[]) => readonly Tensor[] | undefined;
  /** An older opset's form → opset 21's, before shape inference; runs only when `version` < 21 (or > 21 for later forms). */
  readonly convert?: (node: Node, version: number, b: Builder) => Node;
  /**
   * The operator written out in others as it is imported: gradient, folding and WebGPU are then theirs. For operators that few models hold
   * and that no backend does faster than their parts. undefined: this node stays as it is.
   */
  readonly expand?: (
    g: Builder,
    node: Node,
    inputs: readonly (Value | null)[],
  ) => readonly Value[] | undefined;
  /** Same result from operators that WebGPU runs; undefined: not needed for this node. */
  readonly lower?: (
    g: Builder,
    node: Node,
    inputs: readonly (Value | null)[],
  ) => readonly Value[] | undefined;
  /** Known, but no model with it is taken: the reason and the way out, which `shape` throws. */
  readonly refused?: string;
  /** Whether the WebGPU provider has a kernel for this node at opset 21 (facts: runtime notes in ARCHITECTURE.md). Default true. */
  readonly webgpu?: (node: Node, inputs: readonly (Value | null)[], outputs: readonly ValueType[]) => boolean;
}

/** Keys: op name for the standard domain, `domain::op` for others. */
export type OperatorTable = Readonly<Record<string, Operator>>;
