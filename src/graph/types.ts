/** @file The static graph: every value has a fully known type and shape. */
import { type Constant, type DType, type Node, readable } from '#src/onnx/model.ts';

export type Shape = readonly number[];

/** Element type and shape, without a name. */
export interface ValueType {
  readonly type: DType;
  readonly shape: Shape;
}

/** A named edge of the graph. */
export interface Value extends ValueType {
  readonly name: string;
  /** Of an input or output: the name that was asked for, where another value has it. */
  readonly asked?: string;
}

/** The name that an input or output was asked for under. */
export const askedName = ({ name, asked = name }: Value): string => asked;

/** An initializer of a graph. */
export interface GraphConstant extends Constant {
  /** Of a program's graph: what computes the bytes once, when the program is loaded. One output, no inputs; `data` is no place then, only a length. */
  readonly by?: Graph;
}

/** A graph whose dims are bound and whose shape arithmetic is folded. Nodes are in topological order, opset 21. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  /** Initializers, large and small. A constant that a session gets as a run input is listed here too; Program says which. */
  readonly constants: ReadonlyMap<string, GraphConstant>;
  /** Every value by name: inputs, constants, node outputs. */
  readonly values: ReadonlyMap<string, Value>;
}

/** The graph asks for something that cannot be done. The message names the node, the operator and the way out. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  constructor(message: string, options?: ErrorOptions) {
    super(readable(message), options);
  }
}
