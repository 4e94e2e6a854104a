/** @file A decoded ONNX model as plain data: what the file says, before any dimension is bound. */
import { PlainError, type PlainOptions } from '#src/platform/refusals.ts';

/** ONNX element types by their usual names. */
export type DType =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'int4'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'uint4'
  | 'bool'
  | 'string';

/** Where the bytes of a tensor are. External data stays a byte range until somebody wants it. */
export type TensorBytes =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'external';
      readonly location: string;
      readonly offset: number;
      readonly length: number;
      /** The file's element type, where it is another than the tensor's: the values are converted when they are read. */
      readonly stored?: 'float16' | 'bfloat16' | 'float64';
    };

/** A constant tensor: little-endian row-major bytes (int4/uint4: two per byte, low nibble first; bool: one byte). */
export interface Constant {
  readonly type: DType;
  readonly shape: readonly number[];
  readonly data: TensorBytes;
  /** Made while a graph was read or written, of others or of nothing: no weight of a file. */
  readonly computed?: true;
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Constant }
  | { readonly kind: 'graph'; readonly value: ModelGraph };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One operator application. An empty string among the inputs or outputs is an absent optional. */
export interface Node {
  readonly op: string;
  /** '' is the standard domain (an explicit "ai.onnx" is decoded to ''). */
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** Version of the standard operators that it is written in, where it comes from a local function; absent: the model's. */
  readonly opset?: number;
}

/** A dimension: a number, a symbolic name or expression, or unknown. */
export type Dim = number | string | null;

export interface ModelValue {
  readonly name: string;
  readonly type: DType;
  /** null: the rank itself is unknown. */
  readonly shape: readonly Dim[] | null;
}

/** An input with its value: one number for all elements, or one for each. */
export interface GivenInput extends ModelValue {
  readonly values: readonly number[];
}

export interface ModelGraph {
  readonly name: string;
  /** Graph inputs that are not initializers. */
  readonly inputs: readonly ModelValue[];
  /** Inputs that have been given a value once and for all ({@link giveInputs}): constants, and inputs no more. */
  readonly given?: readonly GivenInput[];
  readonly outputs: readonly ModelValue[];
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Constant>;
}

export interface Model {
  readonly irVersion: number;
  /** domain → version; the standard domain is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producer: string;
  readonly graph: ModelGraph;
  readonly metadata: ReadonlyMap<string, string>;
  /** A choice for training: activations that the file rounds are rounded in training too; absent: they are not. No part of the file. */
  readonly rounding?: 'keep';
}

/** Something is wrong with a file. The message names what, where and the way out; it is shown to people as it is. */
export class ModelError extends PlainError {
  override readonly name: string = 'ModelError';
}

/** The bytes of a model cannot be what was exported. */
export class DamagedModel extends ModelError {
  override readonly name = 'DamagedModel';
  constructor(message: string, { cure, ...options }: PlainOptions = {}) {
    super(message, {
      ...options,
      cure: cure ?? 'Copy or download the model again; if that does not help, export it anew.',
    });
  }
}
