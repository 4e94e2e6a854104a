/** @file Named arrays out of a file of any of the three formats. */
import { Breath } from '#src/platform/breath.ts';
import { apartWords, MOST_ARRAYS, sizeWords } from '#src/platform/limits.ts';
import { placed } from '#src/platform/refusals.ts';
import { notWhat, seenIn } from '#src/platform/sniff.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { FormatError } from './errors.ts';
import { readNpy } from './npy.ts';
import { readNpz, Unpacked } from './npz.ts';
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

/** What may be held, bytes. */
export interface Room {
  readonly most: number;
  /** Of it other files take so much. */
  readonly taken: number;
}

function tooMuch(path: string, size: number, { most, taken }: Room): DataError {
  const [all, limit] = apartWords(taken + size, most);
  return new DataError(
    `${path} holds arrays of ${taken > 0 ? `${sizeWords(size)}, with the other files ${all}` : all}; up to ${limit} are held at once. Take fewer rows, or save each batch as a file of its own (batch_0.npz, batch_1.npz …): those are read one at a time.`,
  );
}

/** The arrays of a file by name. Throws DataError that names the file, for more than there is room for, too; and what the breath throws. */
export async function readArrays(
  files: FileSet,
  path: string,
  room: Room = { most: MOST_ARRAYS, taken: 0 },
  breath: Breath = new Breath(),
): Promise<ReadonlyMap<string, Tensor>> {
  const left = room.most - room.taken;
  const size = await files.size(path);
  if (size > left) throw tooMuch(path, size, room);
  const bytes = await files.read(path);
  if (bytes.byteLength === 0) throw new DataError(`${path} is empty (0 bytes). Choose another copy of it.`);
  const [should, kind] = formatOf(path);
  const seen = seenIn(bytes);
  if (seen && seen.kind !== kind)
    throw new DataError(...notWhat(path, bytes, should, 'Choose arrays: .npz, .npy or .safetensors.')!);
  try {
    if (/\.npy$/i.test(path)) return new Map([[arrayName(path), await readNpy(bytes, breath)]]);
    return /\.npz$/i.test(path) ? await readNpz(bytes, left, breath) : readSafetensors(bytes).tensors;
  } catch (error) {
    if (error instanceof Unpacked) throw tooMuch(path, error.bytes, room);
    throw error instanceof FormatError ? new DataError(...placed(path, error)) : error;
  }
}
