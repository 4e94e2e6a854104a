/** @file What arrays there are in a file: their names, types and shapes, from its headers alone, however large it is. */
import type { Tensor } from '#src/onnx/tensor.ts';
import { placed } from '#src/platform/refusals.ts';
import { ZipError, zipEntries } from '#src/platform/zip.ts';
import { DataError } from '#src/tasks/files.ts';
import { FormatError } from './errors.ts';
import { arrayName } from './files.ts';
import { npyHeader } from './npy.ts';
import { safetensorsHead, safetensorsHeader } from './safetensors.ts';

export type ArrayHeader = Pick<Tensor, 'type' | 'shape'>;

/** An .npy header of plain numbers is no longer: version 1 counts its bytes by 16 bits. */
const NPY_HEAD = (1 << 16) + 16;

const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());

const plain = (bytes: Uint8Array): ArrayHeader => {
  const { type, shape } = npyHeader(bytes);
  return { type, shape };
};

async function ofNpz(file: Blob): Promise<Map<string, ArrayHeader>> {
  const found = new Map<string, ArrayHeader>();
  for (const { path, head } of await zipEntries(file)) {
    if (!path.endsWith('.npy')) continue;
    const name = path.slice(0, -'.npy'.length);
    try {
      found.set(name, plain(await head(NPY_HEAD)));
    } catch (error) {
      throw error instanceof FormatError ? new FormatError(...placed(`array "${name}"`, error)) : error;
    }
  }
  return found;
}

/** The arrays of an .npz, .npy or .safetensors file by name, in its order. Throws DataError that names the file. */
export async function readArrayHeaders(path: string, file: Blob): Promise<ReadonlyMap<string, ArrayHeader>> {
  if (file.size === 0) throw new DataError(`${path} is empty (0 bytes). Choose another copy of it.`);
  try {
    if (/\.npy$/i.test(path))
      return new Map([[arrayName(path), plain(await bytesOf(file.slice(0, NPY_HEAD)))]]);
    if (/\.npz$/i.test(path)) return await ofNpz(file);
    const head = safetensorsHead(await bytesOf(file.slice(0, 8)), file.size);
    return safetensorsHeader(await bytesOf(file.slice(0, head)), file.size);
  } catch (error) {
    if (error instanceof ZipError)
      throw new DataError(`${path} is ${error.message}. Choose another copy of it.`, { cause: error });
    throw error instanceof FormatError ? new DataError(...placed(path, error)) : error;
  }
}
