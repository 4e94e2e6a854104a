/** @file NumPy's .npz: a ZIP archive with an .npy file for each array, read and written. */
import type { Tensor } from '#src/onnx/tensor.ts';
import { NewZip, ZipError, zipEntries } from '#src/platform/zip.ts';
import { placed } from '#src/platform/refusals.ts';
import { DamagedFile, FormatError } from './errors.ts';
import { readNpy, writeNpy } from './npy.ts';

/** Bytes that an archive may unpack to: a small one can claim any size. */
const LARGEST = 2 ** 31;

/** Every array of the archive by its name (without ".npy"), in the file's order. Throws FormatError that names the array. */
export async function readNpz(bytes: Uint8Array): Promise<Map<string, Tensor>> {
  const arrays = new Map<string, Tensor>();
  try {
    const entries = await zipEntries(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    if (entries.reduce((total, { size }) => total + size, 0) > LARGEST)
      throw new FormatError('The .npz file unpacks to more than 2 GiB. Split it.');
    for (const { path, content } of entries) {
      if (!path.endsWith('.npy')) continue;
      arrays.set(...named(path, new Uint8Array(await (await content()).arrayBuffer())));
    }
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    throw new DamagedFile('The .npz file is damaged: it is no ZIP archive that can be read.');
  }
  return arrays;
}

function named(path: string, content: Uint8Array): [name: string, array: Tensor] {
  const name = path.slice(0, -'.npy'.length);
  try {
    return [name, readNpy(content)];
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(...placed(`array "${name}"`, error)) : error;
  }
}

/** The arrays as one archive. */
export async function writeNpz(arrays: ReadonlyMap<string, Tensor>): Promise<Uint8Array> {
  const zip = new NewZip({ reproducible: true });
  for (const [name, array] of arrays) await zip.add(`${name}.npy`, writeNpy(array));
  return new Uint8Array(await (await zip.close()).arrayBuffer());
}
