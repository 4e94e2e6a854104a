import { Breath } from '#src/platform/breath.ts';
import { describe, expect, it } from 'vitest';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { DataError } from '#src/tasks/files.ts';
import { readArrays } from './files.ts';
import { readNpy } from './npy.ts';
import { readNpz } from './npz.ts';
import { converted, firstNonFinite } from './numbers.ts';
// What numpy 2.4 wrote, base64.
import written from './testing/numpy.json' with { type: 'json' };

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const { objects, complex, npz, 'npz compressed': compressed, ...arrays } = written;

describe('npy', () => {
  it.each(Object.entries(arrays))('reads numpy’s %s', async (_, { npy, shape, values }) => {
    const t = await readNpy(bytes(npy));
    expect(t.shape).toEqual(shape);
    expect(numbersOf(t)).toEqual(values);
  });

  it('refuses objects and complex numbers in words', async () => {
    await expect(readNpy(bytes(objects))).rejects.toThrow(/numbers of the type "\|O"/);
    await expect(readNpy(bytes(complex))).rejects.toThrow(/"<c16"\. Save it as a plain array/);
    await expect(readNpy(bytes(arrays.f4.npy).slice(0, -1))).rejects.toThrow(
      /should hold 24 bytes.*holds 23/,
    );
  });
});

it.each([npz, compressed])('reads numpy’s archives', async (archive) => {
  const read = await readNpz(bytes(archive));
  expect([...read].map(([name, t]) => [name, t.type, numbersOf(t)])).toEqual([
    ['x', 'float32', [0, 1, 2, 3, 4, 5]],
    ['y', 'int64', [1, 2]],
  ]);
});

it('names the file', async () => {
  const files = memoryFiles({
    'a/b.npy': '',
    'c.npz': 'PK\u0003\u0004',
    'd.safetensors': '\u0001',
    'e.npy': bytes(arrays.i8.npy),
  });
  await expect(readArrays(files, 'a/b.npy')).rejects.toThrow(
    new DataError('a/b.npy is empty (0 bytes). Choose another copy of it.'),
  );
  await expect(readArrays(files, 'c.npz')).rejects.toThrow(/^c\.npz: The \.npz file is damaged/);
  await expect(readArrays(files, 'd.safetensors')).rejects.toThrow(/^d\.safetensors: Not a safetensors file/);
  expect([...(await readArrays(files, 'e.npy')).keys()]).toEqual(['e']);
});

it('converts only where nothing is lost', async () => {
  const breath = new Breath();
  expect(converted(tensor('int64', [2], [1, -3]), 'int32')).toEqual(Int32Array.of(1, -3));
  expect(converted(tensor('float32', [2], [1, 2]), 'int32')).toEqual(Int32Array.of(1, 2));
  expect(converted(tensor('float32', [1], [0.5]), 'int32')).toBeNull();
  expect(converted(tensor('int64', [1], [2 ** 40]), 'int32')).toBeNull();
  expect(converted(tensor('float16', [1], [0.5]), 'float32')).toEqual(Float32Array.of(0.5));
  expect(await firstNonFinite(tensor('float16', [3], [1, Infinity, NaN]), breath)).toBe(1);
  expect(await firstNonFinite(tensor('int32', [1], [3]), breath)).toBe(-1);
});
