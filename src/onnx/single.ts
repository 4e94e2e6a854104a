/** @file float16, bfloat16 and float64 weights as float32: what everything is computed in. */
import { bfloatToNumber, halvesToNumbers } from './float16.ts';
import { type Constant, type DType } from './model.ts';
import { type TypedArray, viewBytes } from './tensor.ts';

/** Element types that a file may hold numbers in, and that are computed in float32. */
export type Stored = 'float16' | 'bfloat16' | 'float64';

export const isStored = (type: DType): type is Stored =>
  type === 'float16' || type === 'bfloat16' || type === 'float64';

/** The type that values of this type are computed in. */
export const computed = (type: DType): DType => (isStored(type) ? 'float32' : type);

/** The values of an array that holds such a type, as float32; float64 is rounded to nearest. */
export function singles(stored: Stored, values: TypedArray): Float32Array<ArrayBuffer> {
  if (stored === 'float16') return halvesToNumbers(values as Uint16Array);
  const out = new Float32Array(values.length);
  if (values instanceof Float64Array) out.set(values);
  else for (let i = 0; i < out.length; i++) out[i] = bfloatToNumber(Number(values[i]));
  return out;
}

/** The same of raw little-endian bytes, as such. */
export const singleBytes = (stored: Stored, bytes: Uint8Array): Uint8Array =>
  new Uint8Array(singles(stored, viewBytes(stored, bytes)).buffer);

/** Equal constants stay one object: the device holds each once. */
const known = new WeakMap<Constant, Constant>();

/** The constant in float32. One that lies in a file is converted when it is read. */
export function single(constant: Constant): Constant {
  const { type, data } = constant;
  if (!isStored(type)) return constant;
  const before = known.get(constant);
  if (before) return before;
  const made: Constant = {
    ...constant,
    type: 'float32',
    data:
      data.kind === 'inline'
        ? { kind: 'inline', bytes: singleBytes(type, data.bytes) }
        : { ...data, stored: type },
  };
  known.set(constant, made);
  return made;
}
