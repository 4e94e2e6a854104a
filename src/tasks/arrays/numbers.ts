/** @file Arrays of any element type as what a model's input takes. */
import { bfloatToNumber, halfToNumber } from '#src/onnx/float16.ts';
import type { DType } from '#src/onnx/model.ts';
import { type Tensor, tensor, type TypedArray } from '#src/onnx/tensor.ts';

const isFloat = (type: DType): boolean => type === 'bfloat16' || type.startsWith('float');

/** The numbers of a tensor as float32. */
export function floatsOf(t: Tensor): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  if (t.type === 'float16') return Float32Array.from(t.data as Uint16Array, halfToNumber);
  if (t.type === 'bfloat16') return Float32Array.from(t.data as Uint16Array, bfloatToNumber);
  return Float32Array.from(t.data as ArrayLike<number | bigint>, Number);
}

/** Index of the first number that is not finite, or −1. */
export function firstNonFinite(t: Tensor): number {
  if (!isFloat(t.type)) return -1;
  return floatsOf(t).findIndex((x) => !Number.isFinite(x));
}

/**
 * The array in the element type of an input.
 * @returns null where numbers would be lost: fractions as integers, integers beyond the type's range
 */
export function converted(t: Tensor, type: DType): TypedArray | null {
  if (t.type === type) return t.data;
  if (type === 'float32') return floatsOf(t);
  const values = isFloat(t.type)
    ? floatsOf(t)
    : Array.from(t.data as ArrayLike<number | bigint>, (x) => Number(x));
  if (isFloat(type)) return tensor(type, t.shape, values).data;
  const made = tensor(type, t.shape, values).data;
  for (let i = 0; i < made.length; i++) if (Number(made[i]) !== values[i]) return null;
  return made;
}
