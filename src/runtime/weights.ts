/** @file Frozen weights on the device: uploaded once, shared by all programs that hold the same Constant object. */
import type * as Ort from 'onnxruntime-web';
import { singleBytes } from '#src/onnx/single.ts';
import { byteLength, viewBytes } from '#src/onnx/tensor.ts';
import { type Constant, ModelError } from '#src/onnx/model.ts';
import type { Backend } from './backend.ts';
import { deviceTensor } from './device.ts';
import type { LoadExternal } from './types.ts';

/** The bytes of a constant in its element type, wherever they lie. Throws ModelError for external data without a loader or of the wrong length. */
export async function constantBytes(
  name: string,
  constant: Constant,
  external?: LoadExternal,
): Promise<Uint8Array> {
  if (constant.data.kind === 'inline') return constant.data.bytes;
  const { location, offset, length, stored } = constant.data;
  if (!external)
    throw new ModelError(
      `The weight ${name} lies in the file ${location}, which was not given. Choose it together with the model.`,
    );
  const bytes = await external(location, offset, length);
  if (bytes.byteLength !== length)
    throw new ModelError(
      `The weight ${name} should be ${length} bytes at ${offset} of ${location}, but only ${bytes.byteLength} are there. The file is cut off, or belongs to another model.`,
    );
  return stored ? singleBytes(stored, bytes) : bytes;
}

interface Entry {
  readonly tensor: Promise<Ort.Tensor>;
  readonly bytes: number;
  users: number;
}

export class WeightStore {
  readonly #entries = new Map<Constant, Entry>();
  readonly #backend: Backend;
  #bytes = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Bytes held on the device. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The constant's tensor; uploads it if it is not there yet. Each call needs one `release`. */
  async acquire(name: string, constant: Constant, external?: LoadExternal): Promise<Ort.Tensor> {
    let entry = this.#entries.get(constant);
    if (!entry) {
      entry = {
        tensor: constantBytes(name, constant, external).then((bytes) =>
          deviceTensor(this.#backend, constant.type, constant.shape, viewBytes(constant.type, bytes)),
        ),
        bytes: byteLength(constant.type, constant.shape),
        users: 0,
      };
      this.#entries.set(constant, entry);
      this.#bytes += entry.bytes;
    }
    entry.users += 1;
    try {
      return await entry.tensor;
    } catch (error) {
      this.#drop(constant, entry);
      throw error;
    }
  }

  release(constant: Constant): void {
    const entry = this.#entries.get(constant);
    if (!entry || --entry.users > 0) return;
    this.#drop(constant, entry);
    void entry.tensor.then((t) => t.dispose());
  }

  #drop(constant: Constant, entry: Entry): void {
    if (this.#entries.get(constant) !== entry) return;
    this.#entries.delete(constant);
    this.#bytes -= entry.bytes;
  }
}
