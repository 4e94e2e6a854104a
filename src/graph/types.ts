/** @file The static graph: every value has a fully known type and shape. */
import type { Constant, DType, Node } from '#src/onnx/model.ts';
import type { Rounded } from './rounded.ts';
import { PlainError, type PlainOptions } from '#src/platform/refusals.ts';

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
  /** Of a program's graph: a float weight that is rounded when the program is loaded; `data` is no place then, only a length. */
  readonly rounded?: Rounded;
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
export class GraphError extends PlainError {
  override readonly name: string = 'GraphError';
}

/** What a node is given does not fit what it does: with the sizes that were chosen, or in the file itself. */
export class Contradiction extends GraphError {
  override readonly name = 'Contradiction';
  constructor(message: string, { cure, ...options }: PlainOptions = {}) {
    super(message, { ...options, cure: cure ?? contradiction });
  }
}

const contradiction =
  'Either the sizes chosen for the model’s inputs do not fit it, or its file contradicts itself here: choose other sizes, or export the model again. onnx.checker.check_model(path, full_check=True) says more.';

/** Of rules that contradict one another whatever the model is. */
export const reportIt =
  'This is a mistake of Rotune’s own: report it with the model. Another export of it may avoid that.';
