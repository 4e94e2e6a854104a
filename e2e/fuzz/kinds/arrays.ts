/** @file Arrays: NumPy's files and archives, and safetensors, damaged and with headers that claim what is not there. */
import { readArrayHeaders } from '#src/tasks/arrays/headers.ts';
import { readArrays } from '#src/tasks/arrays/files.ts';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
// What numpy 2.4 wrote, base64.
import written from '#src/tasks/arrays/testing/numpy.json' with { type: 'json' };
import { damaged, dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { bytesOf, type FuzzKind } from '../kind.ts';
import { damagedText } from '../parts/texts.ts';

const { npz, 'npz compressed': compressed, objects, complex, ...arrays } = written;
const whole = [npz, compressed, objects, complex, ...Object.values(arrays).map((a) => a.npy)];
const safe = writeSafetensors(
  new Map([
    ['x', tensor('float32', [2], [1, 2])],
    ['y', tensor('int64', [2, 2], [1, 2, 3, 4])],
  ]),
  new Map([['made', 'by hand']]),
);

const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
const little = (value: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Math.floor(value / 256 ** i) % 256);

/** A header of any text behind NumPy's magic, and a few numbers. */
function npy(d: Dice): Uint8Array {
  const dims = [0, 1, 2, -1, 2 ** 31, 2 ** 53, 1e21, '2L', ''];
  const shape = Array.from({ length: d.whole(4) }, () => d.pick(dims)).join(', ');
  const type = d.pick(['<f4', '<f8', '>f2', '<i8', '|u1', '|b1', '<f', '|O', '<U9', '<f99', '=f4']);
  const text = `{'descr': '${type}', 'fortran_order': ${d.pick(['False', 'True', '0'])}, 'shape': (${shape}${d.pick(['', ','])}), }`;
  const header = bytesOf(d.chance(0.4) ? damagedText(d, text) : text);
  const length = d.chance(0.1) ? 65_535 : header.length;
  const magic = Uint8Array.of(0x93, ...bytesOf('NUMPY'), d.pick([1, 1, 2, 3, 9]), 0);
  return joined(magic, little(length, d.chance(0.8) ? 2 : 4), header, new Uint8Array(d.whole(40)));
}

/** A header of any JSON before a few numbers. */
function safetensors(d: Dice): Uint8Array {
  const claims = (): unknown => d.pick<unknown>([0, 8, -1, 2 ** 53, 'x', null, 1.5, 40]);
  const entry = (): unknown =>
    d.pick<unknown>([
      { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      {
        dtype: d.pick(['F32', 'BF16', 'F8_E4M3', 'X', 3]),
        shape: [claims()],
        data_offsets: [claims(), claims()],
      },
      { dtype: 'F32', shape: claims(), data_offsets: claims() },
      claims(),
    ]);
  const names = ['a', 'b', '__metadata__', '__proto__', ''];
  const json = JSON.stringify(
    Object.fromEntries(names.filter(() => d.chance(0.4)).map((name) => [name, entry()])),
  );
  const header = bytesOf(d.chance(0.3) ? damagedText(d, json) : json);
  const length = d.chance(0.1) ? d.pick([0, 2 ** 31, 2 ** 53, 2 ** 63]) : header.length;
  return joined(little(length, 8), header, new Uint8Array(d.whole(40)));
}

/** Files are read by what their names say; the content says it here. */
const nameOf = (input: Uint8Array): string =>
  input[0] === 0x93 ? 'a.npy' : input[0] === 0x50 ? 'a.npz' : 'a.safetensors';

export const arrayFiles: FuzzKind = {
  ending: '.bin',
  full: 5000,
  make: (seed) => {
    const d = dice(seed);
    return d.pick([
      () => npy(d),
      () => safetensors(d),
      () => damaged(d, safe),
      () => damaged(d, new Uint8Array(Buffer.from(d.pick(whole), 'base64'))),
    ])();
  },
  read: async (input) => {
    const path = nameOf(input);
    await readArrayHeaders(path, new Blob([Uint8Array.from(input)]));
    await readArrays(memoryFiles({ [path]: input }), path);
    return [];
  },
};
