/** @file Any float tensor as float32 numbers. */
import { isStored, singles } from '#src/onnx/single.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { FormatError } from '../errors.ts';

/** Float32 values of a float16, bfloat16, float32 or float64 tensor; float32 is not copied. `name` is for the error. */
export function toFloat32(t: Tensor, name: string): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  if (isStored(t.type)) return singles(t.type, t.data);
  throw new FormatError(
    `${name} holds ${t.type}, but floating-point numbers were expected. Save it as float32.`,
  );
}
