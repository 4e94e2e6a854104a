/** @file Arrays of any element type as what a model's input takes. */
import { bfloatToNumber, halvesToNumbers } from '#src/onnx/float16.ts';
import type { DType } from '#src/onnx/model.ts';
import { byteLength, type Tensor, tensor, type TypedArray, viewBytes } from '#src/onnx/tensor.ts';

const isFloat = (type: DType): boolean => type === 'bfloat16' || type.startsWith('float');

/** The numbers of a tensor as float32. */
export function floatsOf(t: Tensor): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  if (t.type === 'float16') return halvesToNumbers(t.data as Uint16Array);
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
  const { data, lost } = conversion(t, type);
  return lost < 0 ? data : null;
}

/** Index of the first number that an element type cannot hold, where `converted` gives null; else −1. */
export const firstLost = (t: Tensor, type: DType): number => conversion(t, type).lost;

function conversion(t: Tensor, type: DType): { readonly data: TypedArray; readonly lost: number } {
  if (t.type === type) return { data: t.data, lost: -1 };
  if (type === 'float32') return { data: floatsOf(t), lost: -1 };
  const data = viewBytes(type, new Uint8Array(byteLength(type, t.shape)));
  for (let from = 0; from < data.length; from += PIECE) {
    const piece = t.data.subarray(from, from + PIECE);
    const values = isFloat(t.type)
      ? floatsOf({ ...t, data: piece })
      : Array.from(piece as ArrayLike<number | bigint>, Number);
    const made = tensor(type, [values.length], values).data;
    const lost = isFloat(type) ? -1 : values.findIndex((x: number, i: number) => Number(made[i]) !== x);
    if (lost >= 0) return { data, lost: from + lost };
    data.set(made as never, from);
  }
  return { data, lost: -1 };
}

/** Numbers that are taken at once: all of a large array would be there three times over. */
const PIECE = 65_536;

/** A number of the array, in words. */
export function numberWords(t: Tensor, index: number): string {
  const half = t.type === 'float16' || t.type === 'bfloat16';
  const one = t.data.subarray(index, index + 1);
  return String(half ? floatsOf({ ...t, data: one })[0] : one[0]);
}
