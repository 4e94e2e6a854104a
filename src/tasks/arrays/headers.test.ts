/** @file Headers say of NumPy's own files what reading them whole says, and no numbers are read for them. */
import { afterEach, expect, it, vi } from 'vitest';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { DataError } from '#src/tasks/files.ts';
import { readArrayHeaders } from './headers.ts';
import { writeNpy } from './npy.ts';
import { writeNpz } from './npz.ts';
import { writeSafetensors } from './safetensors.ts';
// What numpy 2.4 wrote, base64.
import written from './testing/numpy.json' with { type: 'json' };

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const blob = (of: Uint8Array): Blob => new Blob([of as Uint8Array<ArrayBuffer>]);
const { objects, complex, npz, 'npz compressed': compressed, ...arrays } = written;

afterEach(() => vi.restoreAllMocks());

it.each(Object.entries(arrays))('numpy’s %s', async (_, { npy, shape }) => {
  const found = await readArrayHeaders('folder/a.npy', blob(bytes(npy)));
  expect([...found].map(([name, array]) => [name, array.shape])).toEqual([['a', shape]]);
});

it.each([npz, compressed])('numpy’s archives', async (archive) => {
  expect([...(await readArrayHeaders('a.npz', blob(bytes(archive))))]).toEqual([
    ['x', { type: 'float32', shape: [2, 3] }],
    ['y', { type: 'int64', shape: [2] }],
  ]);
});

it('safetensors', async () => {
  const file = writeSafetensors(
    new Map([
      ['x', tensor('float64', [3, 4], new Uint8Array(12))],
      ['y', tensor('uint8', [3], new Uint8Array(3))],
    ]),
    new Map([['made', 'by hand']]),
  );
  expect([...(await readArrayHeaders('a.safetensors', blob(file)))]).toEqual([
    ['x', { type: 'float64', shape: [3, 4] }],
    ['y', { type: 'uint8', shape: [3] }],
  ]);
});

it('reads no more than the beginnings of a large file', async () => {
  const shape = [1000, 1000];
  const large = tensor('float32', shape, new Float32Array(sizeOf(shape)));
  const files = {
    'a.npy': blob(writeNpy(large)),
    'a.npz': blob(await writeNpz(new Map([['a', large]]))),
    'a.safetensors': blob(writeSafetensors(new Map([['a', large]]))),
  };
  const read = vi.spyOn(Blob.prototype, 'arrayBuffer');
  const streamed = vi.spyOn(Blob.prototype, 'stream');
  for (const [path, file] of Object.entries(files))
    expect([...(await readArrayHeaders(path, file))]).toEqual([['a', { type: 'float32', shape }]]);
  const sizes = [...read.mock.contexts, ...streamed.mock.contexts].map((each) => (each as Blob).size);
  expect(sizes.length).toBeGreaterThan(3);
  expect(Math.max(...sizes)).toBeLessThan(200_000);
});

it('refuses what is no file of numbers, in words that name it', async () => {
  const refusal = (path: string, of: Uint8Array) => expect(readArrayHeaders(path, blob(of))).rejects;
  await refusal('a/b.npy', new Uint8Array()).toThrow(
    new DataError('a/b.npy is empty (0 bytes). Choose another copy of it.'),
  );
  await refusal('o.npy', bytes(objects)).toThrow(/^o\.npy: .*numbers of the type "\|O"/);
  await refusal('c.npy', bytes(complex)).toThrow(/^c\.npy: .*"<c16"/);
  await refusal('c.npz', bytes(complex)).toThrow(/^c\.npz is damaged/);
  await refusal('d.safetensors', Uint8Array.of(1)).toThrow(/^d\.safetensors: Not a safetensors file/);
});
