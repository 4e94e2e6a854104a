/** @file Named arrays out of a file of any of the three formats. */
import { placed } from '#src/platform/refusals.ts';
import { notWhat, seenIn } from '#src/platform/sniff.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { FormatError } from './errors.ts';
import { readNpy } from './npy.ts';
import { readNpz } from './npz.ts';
import { readSafetensors } from './safetensors.ts';

const ARRAYS = /\.(safetensors|npz|npy)$/i;

export const isArrayFile = (path: string): boolean => ARRAYS.test(path);

/** The file's name without folder and extension: what an .npy file's only array is called. */
export const arrayName = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(ARRAYS, '');

/** What a file of that name should be, and how its first bytes tell. */
const formatOf = (path: string): readonly [should: string, kind: string] =>
  /\.npy$/i.test(path)
    ? ['a NumPy array', 'npy']
    : /\.npz$/i.test(path)
      ? ['an archive of NumPy arrays', 'zip']
      : ['a safetensors file', 'safetensors'];

/** The arrays of a file by name. Throws DataError that names the file. */
export async function readArrays(files: FileSet, path: string): Promise<ReadonlyMap<string, Tensor>> {
  const bytes = await files.read(path);
  if (bytes.byteLength === 0) throw new DataError(`${path} is empty (0 bytes). Choose another copy of it.`);
  const [should, kind] = formatOf(path);
  const seen = seenIn(bytes);
  if (seen && seen.kind !== kind)
    throw new DataError(...notWhat(path, bytes, should, 'Choose arrays: .npz, .npy or .safetensors.')!);
  try {
    if (/\.npy$/i.test(path)) return new Map([[arrayName(path), readNpy(bytes)]]);
    return /\.npz$/i.test(path) ? await readNpz(bytes) : readSafetensors(bytes).tensors;
  } catch (error) {
    throw error instanceof FormatError ? new DataError(...placed(path, error)) : error;
  }
}
