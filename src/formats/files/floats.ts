/** @file Any float tensor as float32 numbers. */
import { bfloatToNumber, halvesToNumbers } from '#src/onnx/float16.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { FormatError } from '../errors.ts';

/** Float32 values of a float16, bfloat16, float32 or float64 tensor; float32 is not copied. `name` is for the error. */
export function toFloat32(t: Tensor, name: string): Float32Array {
  if (t.data instanceof Float32Array) return t.data;
  if (t.data instanceof Float64Array) return Float32Array.from(t.data);
  if (t.type === 'float16') return halvesToNumbers(t.data as Uint16Array);
  if (t.type === 'bfloat16') return Float32Array.from(t.data as Uint16Array, bfloatToNumber);
  throw new FormatError(
    `${name} holds ${t.type}, but floating-point numbers were expected. Save it as float32.`,
  );
}
