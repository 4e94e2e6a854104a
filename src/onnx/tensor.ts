/** @file Constants ↔ typed arrays. */
import { bfloatToNumber, halvesToNumbers, numbersToHalves, numberToBfloat, numberToHalf } from './float16.ts';
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
    throw new ModelError(
      'String tensors have no fixed size; a numeric tensor was expected. Export the model without text inside.',
    );
  const n = sizeOf(shape);
  return type === 'int4' || type === 'uint4' ? Math.ceil(n / 2) : n * arrays[type].BYTES_PER_ELEMENT;
}

/** Lowest and highest number of the types that files round activations and weights to. */
export const wholeRanges: Partial<Record<DType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65_535],
  int16: [-32_768, 32_767],
};

/** Whether a tensor takes fewer bytes than its numbers would in float32. */
export const isSmall = ({ type, shape }: Pick<Constant, 'type' | 'shape'>): boolean =>
  type !== 'string' && byteLength(type, shape) < 4 * sizeOf(shape);

/** A typed array over (or, if unaligned, copied from) raw little-endian bytes. */
export function viewBytes(type: DType, bytes: Uint8Array): TypedArray {
  if (type === 'string')
    throw new ModelError('String tensors cannot be read as numbers. Export the model without text inside.');
  const Ctor = arrays[type];
  const width = Ctor.BYTES_PER_ELEMENT;
  const source = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new Ctor(source.buffer as ArrayBuffer, source.byteOffset, Math.floor(source.byteLength / width));
}

/** The values of an inline constant. Throws ModelError for one that lies in an external file. */
export function tensorOf(constant: Constant): Tensor {
  if (constant.data.kind === 'external')
    throw new ModelError(
      `The values of an external tensor (${constant.data.location}) are not loaded yet. Choose that file together with the model.`,
    );
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

const INT64_MAX = 2n ** 63n - 1n;

/** Whole part as int64; beyond its range (ONNX's "to the end" is 2⁶³ − 1, no double) the nearest end. */
function toInt64(x: number): bigint {
  if (x >= 2 ** 63) return INT64_MAX;
  return x <= -(2 ** 63) ? -INT64_MAX - 1n : BigInt(Math.trunc(x));
}

/** A tensor from plain numbers, rounded to the type. */
export function tensor(type: DType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  return { type, shape, data: arrayOf(type, values) };
}

function arrayOf(type: DType, values: ArrayLike<number>): TypedArray {
  switch (type) {
    case 'string':
      throw new ModelError(
        'String tensors cannot be made from numbers. Export the model without text inside.',
      );
    case 'int64':
      return BigInt64Array.from(Array.from(values, toInt64));
    case 'uint64':
      return BigUint64Array.from(Array.from(values, (x) => BigInt.asUintN(64, toInt64(x))));
    case 'float16':
      return values instanceof Float32Array
        ? numbersToHalves(values)
        : Uint16Array.from(values, numberToHalf);
    case 'bfloat16':
      return Uint16Array.from(values, numberToBfloat);
    default:
      return new arrays[type](values);
  }
}

/** Values as plain numbers (int64 included: shapes and indices fit). */
export function numbersOf(t: Tensor): number[] {
  const { data } = t;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Array.from(data, Number);
  if (t.type === 'float16') return Array.from(halvesToNumbers(data));
  return t.type === 'bfloat16' ? Array.from(data, bfloatToNumber) : Array.from(data);
}
