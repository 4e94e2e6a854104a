/** @file Numbers as NumPy's .npy file, of version 1.0. */
import type { Tensor } from '#src/onnx/tensor.ts';
import type { DType } from '#src/onnx/model.ts';

/** NumPy's codes of the types that it has. */
const codes: Readonly<Partial<Record<DType, string>>> = {
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
};

/** The name that NumPy has for a type; what it lacks (bfloat16) goes as float32. */
export const numpyType = (type: DType): DType => (codes[type] === undefined ? 'float32' : type);

/** The file's bytes. Types that NumPy lacks throw TypeError: see {@link numpyType}. */
export function writeNpy(tensor: Tensor): Uint8Array<ArrayBuffer> {
  const code = codes[tensor.type];
  if (code === undefined) throw new TypeError(`NumPy has no ${tensor.type}.`);
  const shape = tensor.shape.length === 1 ? `${tensor.shape[0]},` : tensor.shape.join(', ');
  const dict = `{'descr': '${code}', 'fortran_order': False, 'shape': (${shape}), }`;
  // Magic, version, length and header together fill whole rows of 64 bytes, and end in a line break.
  const header = `${dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11)}\n`;
  const bytes = new Uint8Array(10 + header.length + tensor.data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  const { buffer, byteOffset, byteLength } = tensor.data;
  bytes.set(new Uint8Array(buffer, byteOffset, byteLength), 10 + header.length);
  return bytes;
}
