/** @file Constants ↔ typed arrays. */
import { type Constant, type DType, ModelError } from './model.ts';

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array;

/** A constant whose values are at hand. float16 and bfloat16 hold their bit patterns (Uint16Array), bool holds 0 and 1. */
export interface Tensor {
  readonly type: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  int4: Uint8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  uint4: Uint8Array,
  bool: Uint8Array,
} as const;

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Bytes that a tensor of this type and shape takes. Throws ModelError for strings, whose size is not fixed. */
export function byteLength(type: DType, shape: readonly number[]): number {
  if (type === 'string')
    throw new ModelError('String tensors have no fixed size; a numeric tensor was expected.');
  const n = sizeOf(shape);
  return type === 'int4' || type === 'uint4' ? Math.ceil(n / 2) : n * arrays[type].BYTES_PER_ELEMENT;
}

/** A typed array over (or, if unaligned, copied from) raw little-endian bytes. */
export function viewBytes(type: DType, bytes: Uint8Array): TypedArray {
  if (type === 'string') throw new ModelError('String tensors cannot be read as numbers.');
  const Ctor = arrays[type];
  const width = Ctor.BYTES_PER_ELEMENT;
  const source = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return new Ctor(source.buffer as ArrayBuffer, source.byteOffset, Math.floor(source.byteLength / width));
}

/** The values of an inline constant. Throws ModelError for one that lies in an external file. */
export function tensorOf(constant: Constant): Tensor {
  if (constant.data.kind === 'external')
    throw new ModelError(`The values of an external tensor (${constant.data.location}) are not loaded yet.`);
  return { type: constant.type, shape: constant.shape, data: viewBytes(constant.type, constant.data.bytes) };
}

/** An inline constant over the same memory as the tensor. */
export function constantOf(tensor: Tensor): Constant {
  const { buffer, byteOffset, byteLength: length } = tensor.data;
  return {
    type: tensor.type,
    shape: tensor.shape,
    data: { kind: 'inline', bytes: new Uint8Array(buffer as ArrayBuffer, byteOffset, length) },
  };
}

/** A tensor from plain numbers. */
export function tensor(type: DType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  if (type === 'string') throw new ModelError('String tensors cannot be made from numbers.');
  const Ctor = arrays[type];
  const data =
    Ctor === BigInt64Array || Ctor === BigUint64Array
      ? Ctor.from(Array.from(values, (v) => BigInt(Math.trunc(v))))
      : (Ctor as Float32ArrayConstructor).from(values);
  return { type, shape, data: data as TypedArray };
}

/** Values as plain numbers (int64 included: shapes and indices fit). */
export const numbersOf = (t: Tensor): number[] => Array.from(t.data as ArrayLike<number | bigint>, Number);
