/** @file Frozen weights on the device: uploaded once, shared by all programs that hold the same Constant object. */
import type * as Ort from 'onnxruntime-web';
import { singleBytes } from '#src/onnx/single.ts';
import { byteLength, sizeOf, viewBytes } from '#src/onnx/tensor.ts';
import { roundedBytes } from '#src/graph/rounded.ts';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph, GraphConstant } from '#src/graph/types.ts';
import { type Constant, type DType, ModelError, type Node } from '#src/onnx/model.ts';
import type { Backend } from './backend.ts';
import { deviceTensor, hostTensor } from './device.ts';
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
      `The weight ${name} should be ${length} bytes at ${offset} of ${location}, but only ${bytes.byteLength} are there. The file is cut off, or belongs to another model: copy it again.`,
    );
  return stored ? singleBytes(stored, bytes) : bytes;
}

/** As {@link constantBytes}, also of a constant that is computed or rounded. */
export const weightBytes = (
  backend: Pick<Backend, 'ort'>,
  name: string,
  constant: GraphConstant,
  external?: LoadExternal,
): Promise<Uint8Array> =>
  constant.by
    ? computedBytes(backend, constant.by, external)
    : constant.rounded
      ? roundedBytes(constant.rounded, (of, weight) => constantBytes(of, weight, external))
      : constantBytes(name, constant, external);

/** What a graph without inputs computes: by a session of its own on the CPU, as the nodes stand, that is given its weights one by one. */
async function computedBytes(
  backend: Pick<Backend, 'ort'>,
  graph: Graph,
  external?: LoadExternal,
): Promise<Uint8Array> {
  const matrix = laidOut(graph);
  if (matrix) {
    const [name, constant] = matrix;
    const bytes = await weightBytes(backend, name, constant, external);
    return graph.nodes[0]!.op === 'Transpose' ? exchanged(constant.type, constant.shape, bytes) : bytes;
  }
  const { ort } = backend;
  const weights = [...graph.constants].filter(
    ([, c]) => (sizeOf(c.shape) >= 256 && fed.has(c.type)) || c.rounded,
  );
  const model = encodeGraph(graph, { weightsAsInputs: new Set(weights.map(([name]) => name)) });
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
  });
  try {
    const feeds = Object.create(null) as Record<string, Ort.Tensor>;
    for (const [name, c] of weights) {
      const bytes = await weightBytes(backend, name, c, external);
      feeds[name] = hostTensor(ort, c.type, c.shape, viewBytes(c.type, bytes));
    }
    const [output] = graph.outputs;
    const { data } = (await session.run(feeds))[output!.name]!;
    const { buffer, byteOffset, byteLength: length } = data as Uint8Array;
    return new Uint8Array(buffer, byteOffset, length).slice();
  } finally {
    await session.release();
  }
}

/** The weight of which the graph gives another layout and nothing else: a matrix transposed, then any other shape. */
function laidOut({ nodes, constants }: Graph): [string, GraphConstant] | null {
  const [first, ...rest] = nodes;
  if (!first || rest.some((node) => node.op !== 'Reshape')) return null;
  const entry = [...constants].find(([name]) => name === first.inputs[0]);
  if (!entry || !(entry[1].type === 'float32' || entry[1].type === 'float16')) return null;
  if (first.op === 'Reshape') return entry;
  return first.op === 'Transpose' && entry[1].shape.length === 2 && !isIdle(first) ? entry : null;
}

/** Whether a Transpose of a matrix leaves it as it is. */
const isIdle = ({ attributes: { perm } }: Node): boolean => perm?.kind === 'ints' && perm.value[0] === 0;

/** The transpose of [rows, columns] as bytes: a session for each weight would take longer than the weight. */
function exchanged(type: DType, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const [rows, columns] = shape as [number, number];
  const from = viewBytes(type, bytes) as Float32Array | Uint16Array;
  const to = from.slice();
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j]!;
  return new Uint8Array(to.buffer);
}

/** Types of weights that such a session is fed with; others are in its file. */
const fed: ReadonlySet<string> = new Set(['float32', 'int8', 'uint8', 'int32', 'int4', 'uint4']);

interface Entry {
  readonly tensor: Promise<Ort.Tensor>;
  readonly bytes: number;
  users: number;
}

export class WeightStore {
  readonly #entries = new Map<GraphConstant, Entry>();
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
  async acquire(name: string, constant: GraphConstant, external?: LoadExternal): Promise<Ort.Tensor> {
    let entry = this.#entries.get(constant);
    if (!entry) {
      entry = {
        tensor: weightBytes(this.#backend, name, constant, external).then((bytes) =>
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

  release(constant: GraphConstant): void {
    const entry = this.#entries.get(constant);
    if (!entry || --entry.users > 0) return;
    this.#drop(constant, entry);
    void entry.tensor.then((t) => t.dispose());
  }

  #drop(constant: GraphConstant, entry: Entry): void {
    if (this.#entries.get(constant) !== entry) return;
    this.#entries.delete(constant);
    this.#bytes -= entry.bytes;
  }
}
