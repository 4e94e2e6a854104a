/** @file NumPy's .npz: a ZIP archive with an .npy file for each array. */
import { placed } from '#src/platform/refusals.ts';
import { unzipSync } from 'fflate';
import type { Tensor } from '#src/onnx/tensor.ts';
import { FormatError, DamagedFile } from './errors.ts';
import { readNpy } from './npy.ts';

/** Bytes that an archive may unpack to: a small one can claim any size. */
const LARGEST = 2 ** 31;

/** Every array of the archive by its name (without ".npy"), in the file's order. Throws FormatError that names the array. */
export function readNpz(bytes: Uint8Array): Map<string, Tensor> {
  let total = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        total += originalSize;
        if (total > LARGEST) throw new FormatError('The .npz file unpacks to more than 2 GiB. Split it.');
        return name.endsWith('.npy');
      },
    });
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new DamagedFile('The .npz file is damaged: it is no ZIP archive that can be read.');
  }
  const arrays = new Map<string, Tensor>();
  for (const [path, content] of Object.entries(files)) {
    const name = path.slice(0, -'.npy'.length);
    try {
      arrays.set(name, readNpy(content));
    } catch (error) {
      throw error instanceof FormatError ? new FormatError(...placed(`array "${name}"`, error)) : error;
    }
  }
  return arrays;
}
