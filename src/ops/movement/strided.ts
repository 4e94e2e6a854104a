/** @file Folding of movement operators: copies of a tensor through strides, and blockwise joins. */
import { sizeOf, type Tensor, type TypedArray } from '#src/onnx/tensor.ts';

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** An array of the same kind. */
export const like = (data: TypedArray, length: number): TypedArray =>
  new (data.constructor as new (n: number) => TypedArray)(length);

/** The tensor of `shape` whose element at index i is t's at offset + Σ iₖ·stridesₖ: transposes, slices, broadcasts. */
export function strided(t: Tensor, shape: readonly number[], strides: readonly number[], offset = 0): Tensor {
  const n = sizeOf(shape);
  const data = like(t.data, n);
  const index = shape.map(() => 0);
  let from = offset;
  for (let k = 0; k < n; k++) {
    data[k] = t.data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { type: t.type, shape, data };
}

/** The tensor broadcast to `shape`. */
export function broadcastTo(t: Tensor, shape: readonly number[]): Tensor {
  const extra = shape.length - t.shape.length;
  const own = stridesOf(t.shape);
  return strided(
    t,
    shape,
    shape.map((_, i) => (i < extra || t.shape[i - extra] === 1 ? 0 : own[i - extra]!)),
  );
}

/** Tensors joined along an axis; all other dimensions are equal. */
export function concatenate(tensors: readonly Tensor[], axis: number): Tensor {
  const first = tensors[0]!;
  const total = tensors.reduce((n, t) => n + t.shape[axis]!, 0);
  const shape = first.shape.map((d, i) => (i === axis ? total : d));
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const data = like(first.data, sizeOf(shape));
  let at = 0;
  for (let o = 0; o < outer; o++)
    for (const t of tensors) {
      const block = t.shape[axis]! * inner;
      for (let k = 0; k < block; k++) data[at++] = t.data[o * block + k]!;
    }
  return { type: first.type, shape, data };
}

/** Slices `indices` of the tensor along an axis, their shape in the axis' place (ONNX Gather). Negative indices count from the end. */
export function take(t: Tensor, indices: readonly number[], shape: readonly number[], axis: number): Tensor {
  const inner = sizeOf(t.shape.slice(axis + 1));
  const outer = sizeOf(t.shape.slice(0, axis));
  const length = t.shape[axis]!;
  const data = like(t.data, outer * indices.length * inner);
  let at = 0;
  for (let o = 0; o < outer; o++)
    for (const i of indices) {
      const from = (o * length + (i < 0 ? i + length : i)) * inner;
      for (let k = 0; k < inner; k++) data[at++] = t.data[from + k]!;
    }
  return { type: t.type, shape: [...t.shape.slice(0, axis), ...shape, ...t.shape.slice(axis + 1)], data };
}
