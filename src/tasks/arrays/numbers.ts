/** @file Arrays of any element type as what a model's input takes. */
import type { Breath } from '#src/platform/breath.ts';
import type { DType } from '#src/onnx/model.ts';
import { isStored, singles } from '#src/onnx/single.ts';
import { byteLength, type Tensor, tensor, type TypedArray, viewBytes } from '#src/onnx/tensor.ts';

const isFloat = (type: DType): boolean => type === 'bfloat16' || type.startsWith('float');

/** The numbers of a tensor as float32. */
export function floatsOf(t: Tensor): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  if (isStored(t.type)) return singles(t.type, t.data);
  return Float32Array.from(t.data as ArrayLike<number | bigint>, Number);
}

/** Index of the first number of which that holds, or −1. Throws what the breath throws. */
export async function findNumber(t: Tensor, holds: (x: number) => boolean, breath: Breath): Promise<number> {
  for (let from = 0; from < t.data.length; from += PIECE) {
    if (breath.due) await breath.take();
    const at = floatsOf({ ...t, data: t.data.subarray(from, from + PIECE) }).findIndex(holds);
    if (at >= 0) return from + at;
  }
  return -1;
}

/** Index of the first number that is not finite, or −1. Throws what the breath throws. */
export const firstNonFinite = async (t: Tensor, breath: Breath): Promise<number> =>
  isFloat(t.type) ? findNumber(t, (x) => !Number.isFinite(x), breath) : -1;

/**
 * The array in the element type of an input.
 * @returns null where numbers would be lost: fractions as integers, integers beyond the type's range
 */
export function converted(t: Tensor, type: DType): TypedArray | null {
  if (t.type === type) return t.data;
  if (type === 'float32') return floatsOf(t);
  const data = viewBytes(type, new Uint8Array(byteLength(type, t.shape)));
  for (const { from, made, lost } of pieces(t, type)) {
    if (lost >= 0) return null;
    data.set(made as never, from);
  }
  return data;
}

/** Index of the first number that an element type cannot hold, where `converted` gives null; else −1. Throws what the breath throws. */
export async function firstLost(t: Tensor, type: DType, breath: Breath): Promise<number> {
  if (t.type === type || isFloat(type)) return -1;
  for (const { lost } of pieces(t, type)) {
    if (lost >= 0) return lost;
    if (breath.due) await breath.take();
  }
  return -1;
}

/** Numbers from a place on in another type, and the first of them that it does not hold, or −1. */
interface Piece {
  readonly from: number;
  readonly made: TypedArray;
  readonly lost: number;
}

function* pieces(t: Tensor, type: DType): Generator<Piece, void, undefined> {
  for (let from = 0; from < t.data.length; from += PIECE) {
    const piece = t.data.subarray(from, from + PIECE);
    const values = isFloat(t.type)
      ? floatsOf({ ...t, data: piece })
      : Array.from(piece as ArrayLike<number | bigint>, Number);
    const made = tensor(type, [values.length], values).data;
    const lost = isFloat(type) ? -1 : values.findIndex((x: number, i: number) => Number(made[i]) !== x);
    yield { from, made, lost: lost < 0 ? -1 : from + lost };
  }
}

/** Numbers that are taken at once: all of a large array would be there three times over. */
const PIECE = 65_536;

/** A number of the array, in words. */
export function numberWords(t: Tensor, index: number): string {
  const half = t.type === 'float16' || t.type === 'bfloat16';
  const one = t.data.subarray(index, index + 1);
  return String(half ? floatsOf({ ...t, data: one })[0] : one[0]);
}
