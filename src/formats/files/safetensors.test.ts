import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DType } from '#src/onnx/model.ts';
import { byteLength, type Tensor, tensor, viewBytes } from '#src/onnx/tensor.ts';
import { FormatError } from '../errors.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

const golden = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../e2e/golden/${path}`, import.meta.url)));

/** A file from a header text and data. */
function file(header: string | object, data = 0, announced?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, announced ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const f32 = (shape: number[], begin: number, end: number): object => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('files of the reference implementation', () => {
  it.each([
    'emoji/unet.safetensors',
    'emoji/lycoris_dim8_constraint_rescaled.safetensors',
    'oft/unet/io.safetensors',
    'oft/unet/adapter.safetensors',
    'oft/unet/diffusion_pytorch_model.safetensors',
    'zoo/vit-hf-ts14/golden.safetensors',
  ])('writes back the very bytes of %s', (path) => {
    const bytes = golden(path);
    const { tensors, metadata } = readSafetensors(bytes);
    expect(Buffer.compare(writeSafetensors(tensors, metadata), bytes)).toBe(0);
  });

  it('reads values, types and metadata', () => {
    const { tensors, metadata } = readSafetensors(golden('oft/unet/adapter.safetensors'));
    expect(metadata.get('ss_network_module')).toBe('lycoris.kohya');
    expect(tensors.get('lora_unet_conv_in.alpha')).toEqual(tensor('float32', [], [0]));
    expect(tensors.get('lora_unet_conv_in.oft_blocks')?.shape).toEqual([8, 4, 4]);
    const timestep = readSafetensors(golden('oft/unet/io.safetensors')).tensors.get('timestep');
    expect(timestep?.data).toBeInstanceOf(BigInt64Array);
  });
});

const types: DType[] = [
  'bool', 'uint8', 'int8', 'int16', 'uint16', 'float16', 'bfloat16', 'int32', 'uint32', 'float32', 'float64', 'int64',
  'uint64',
]; // prettier-ignore
const anyTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...types), fc.array(fc.nat(4), { maxLength: 4 }))
  .chain(([type, shape]) => {
    const length = byteLength(type, shape);
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes) => ({ type, shape, data: viewBytes(type, bytes) }));
  });
const bits = (t: Tensor): unknown => [
  t.type,
  t.shape,
  [...new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength)],
];

describe('round trip', () => {
  it('keeps any tensors and metadata, at any alignment', () => {
    const names = fc.string({ unit: 'binary' }).filter((s) => s !== '__metadata__' && s.isWellFormed());
    const texts = fc.string({ unit: 'binary' }).filter((s) => s.isWellFormed());
    fc.assert(
      fc.property(
        fc.dictionary(names, anyTensor),
        fc.dictionary(texts, texts),
        fc.nat(7),
        (tensors, metadata, shift) => {
          const bytes = writeSafetensors(new Map(Object.entries(tensors)), new Map(Object.entries(metadata)));
          expect(new DataView(bytes.buffer).getUint32(0, true) % 8).toBe(0);
          const moved = new Uint8Array(bytes.length + shift);
          moved.set(bytes, shift);
          const back = readSafetensors(moved.subarray(shift));
          expect(new Map([...back.tensors].map(([k, t]) => [k, bits(t)]))).toEqual(
            new Map(Object.entries(tensors).map(([k, t]) => [k, bits(t)])),
          );
          expect(back.metadata).toEqual(new Map(Object.entries(metadata)));
        },
      ),
    );
  });
});

describe('bad files', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /has 0 bytes/],
    ['an oversized header', file('{}', 0, 1n << 60n), /announce a header of/],
    ['a header past the end', file('{}', 0, 50n), /cut short/],
    ['text', file('hello'), /not JSON/],
    ['a list', file('[]'), /not a JSON object/],
    [
      'an unknown type',
      file({ a: { dtype: 'C64', shape: [1], data_offsets: [0, 8] } }, 8),
      /a has the element type "C64/,
    ],
    ['a negative dim', file({ a: f32([-1], 0, 4) }, 4), /shape of a is/],
    ['no offsets', file({ a: { dtype: 'F32', shape: [1] } }, 4), /offsets of a are missing/],
    ['offsets backwards', file({ a: f32([1], 4, 0) }, 4), /offsets of a are/],
    ['a tensor past the end', file({ a: f32([2], 0, 8) }, 4), /a should end at byte 8.*holds only 4/],
    ['a size that does not fit', file({ a: f32([3], 0, 8) }, 8), /takes 12 bytes, but has 8/],
    ['an overlap', file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), /b overlaps a/],
    ['a gap', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /4 bytes between a and b/],
    ['bytes left over', file({ a: f32([1], 0, 4) }, 9), /5 bytes after a/],
    ['metadata that are not texts', file({ __metadata__: { x: 1 } }), /__metadata__/],
    ['an entry that is a number', file({ a: 3 }), /entry of a/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(FormatError);
    expect(() => readSafetensors(bytes)).toThrow(message);
  });

  it('meets any bytes with a result or a FormatError, nothing else', () => {
    const valid = golden('emoji/lycoris_dim4_expected.safetensors').subarray(0, 600);
    fc.assert(
      fc.property(fc.nat(599), fc.nat(255), fc.nat(600), (at, value, length) => {
        const bytes = valid.slice(0, length);
        bytes[at] = value;
        try {
          readSafetensors(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });

  it('does not write what it could not read', () => {
    expect(() => writeSafetensors(new Map([['a', tensor('int4', [2], [1])]]))).toThrow(
      /no element type for a/,
    );
    expect(() =>
      writeSafetensors(new Map([['a', { ...tensor('float32', [2], [1, 2]), shape: [3] }]])),
    ).toThrow(/takes 12 bytes/);
  });
});
