/** @file NumPy's .npz: a ZIP archive with an .npy file for each array, read and written. */
import { Breath } from '#src/platform/breath.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { NewZip, ZipError, zipEntries } from '#src/platform/zip.ts';
import { MOST_ARRAYS, sizeWords } from '#src/platform/limits.ts';
import { placed } from '#src/platform/refusals.ts';
import { DamagedFile, FormatError } from './errors.ts';
import { readNpy, writeNpy } from './npy.ts';

/** The archive unpacks to more than there is room for. */
export class Unpacked extends FormatError {
  constructor(readonly bytes: number) {
    super(`The .npz file unpacks to ${sizeWords(bytes)}.`);
  }
}

/**
 * Every array of the archive by its name (without ".npy"), in the file's order.
 * @param most bytes that it may unpack to: no entry unpacks to more than it says
 * @throws FormatError that names the array; Unpacked
 */
export async function readNpz(
  bytes: Uint8Array,
  most = MOST_ARRAYS,
  breath: Breath = new Breath(),
): Promise<Map<string, Tensor>> {
  const arrays = new Map<string, Tensor>();
  try {
    const entries = (await zipEntries(new Blob([bytes as Uint8Array<ArrayBuffer>]))).filter(({ path }) =>
      path.endsWith('.npy'),
    );
    const total = entries.reduce((sum, { size }) => sum + size, 0);
    if (total > most) throw new Unpacked(total);
    for (const { path, content } of entries)
      arrays.set(...(await named(path, new Uint8Array(await (await content()).arrayBuffer()), breath)));
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    throw new DamagedFile('The .npz file is damaged: it is no ZIP archive that can be read.');
  }
  return arrays;
}

async function named(
  path: string,
  content: Uint8Array,
  breath: Breath,
): Promise<[name: string, array: Tensor]> {
  const name = path.slice(0, -'.npy'.length);
  try {
    return [name, await readNpy(content, breath)];
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
