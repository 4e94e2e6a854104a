/** @file An ONNX file of any size → Model, without reading its large weights: they become byte ranges of the file itself. */
import type { DescMessage } from '@bufbuild/protobuf';
import { randomId } from '#src/platform/id.ts';
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from 'onnx-buf';
import { decodeModel, unreadable } from './decode.ts';
import { DamagedModel, type Model } from './model.ts';
import { ByteSink, FileWindow } from './window.ts';
import { withOwnRanges } from './external.ts';
import { checkField, type Head, LONGEST_HEAD, Malformed, readHead, Wire, writeVarint } from './wire.ts';

/** Bytes of the file from `offset`. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>;

export interface OpenOptions {
  /** Weights of at least so many bytes stay where they are. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** What is decoded of a file in memory at most: nodes, names, small tensors. */
const LARGEST_STRUCTURE = 2 ** 29;

/** Field numbers of onnx.proto. */
const MODEL = { graph: 7 } as const;
const GRAPH = { initializer: 5 } as const;
const TENSOR = { type: 2, floats: 4, raw: 9, external: 13, location: 14 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const FLOAT = 1;
const EXTERNAL = 1;

/**
 * Decodes an ONNX file of which only the parts that describe the model are read. Initializers of the main graph whose values take `limit` bytes or
 * more (64 KiB) become external ranges of location '', which stands for the file itself. Otherwise the same as `decodeModel` of the whole file.
 * @param size of the file, bytes
 * @throws ModelError for anything that is not a whole, sane ONNX model; what `read` throws
 */
export async function openModelFile(
  read: ReadBytes,
  size: number,
  { limit = 65_536, signal }: OpenOptions = {},
): Promise<Model> {
  if (size === 0) throw new DamagedModel('The model file is empty.');
  const scan = new Scan(new FileWindow(read, size, signal), limit);
  try {
    await scan.model();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw unreadable(await read(0, Math.min(size, 64)));
  }
  return withOwnRanges(scan.own, () => decodeModel(scan.structure.bytes()));
}

/** A value that stays in the file. */
interface Large {
  readonly field: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * Copies a model's structure. A large value is left out, and its tensor says instead that it lies in an external file of a name that nobody could have
 * given; so all rules of the decoder hold for both.
 */
class Scan {
  readonly structure = new ByteSink(LARGEST_STRUCTURE);
  /** Stands for the file itself in the structure. */
  readonly own = randomId();
  readonly #file: FileWindow;
  readonly #limit: number;

  constructor(file: FileWindow, limit: number) {
    this.#file = file;
    this.#limit = limit;
  }

  async model(): Promise<void> {
    const { size } = this.#file;
    for (let at = 0; at < size;) {
      const head = await this.#head(at, size, ModelProtoSchema);
      at = head.start + head.length;
      if (head.number !== MODEL.graph) {
        // Fields that the schema does not know are left unread, however long.
        if (ModelProtoSchema.fields.some((f) => f.number === head.number))
          await this.#copy(head, this.structure);
        continue;
      }
      const graph = new ByteSink(LARGEST_STRUCTURE);
      await this.#graph(head.start, at, graph);
      this.structure.field(MODEL.graph, graph.bytes());
    }
  }

  async #graph(start: number, end: number, out: ByteSink): Promise<void> {
    for (let at = start; at < end;) {
      const head = await this.#head(at, end, GraphProtoSchema);
      at = head.start + head.length;
      if (head.number === GRAPH.initializer && head.length >= this.#limit) await this.#tensor(head, out);
      else await this.#copy(head, out);
    }
  }

  async #tensor(tensor: Head, out: ByteSink): Promise<void> {
    const end = tensor.start + tensor.length;
    const heads: Head[] = [];
    for (let at = tensor.start; at < end; at = heads.at(-1)!.start + heads.at(-1)!.length)
      heads.push(await this.#head(at, end, TensorProtoSchema));
    const large = await this.#large(heads);
    if (!large) return this.#copy(tensor, out);
    const inner = new ByteSink(LARGEST_STRUCTURE);
    for (const head of heads) if (head.number !== large.field) await this.#copy(head, inner);
    for (const [key, value] of [
      ['location', this.own],
      ['offset', String(large.offset)],
      ['length', String(large.length)],
    ] as const) {
      const entry = new ByteSink(1024);
      entry.field(ENTRY.key, utf8.encode(key));
      entry.field(ENTRY.value, utf8.encode(value));
      inner.field(TENSOR.external, entry.bytes());
    }
    inner.append([(TENSOR.location << 3) | Wire.varint, EXTERNAL]);
    out.field(GRAPH.initializer, inner.bytes());
  }

  /** The one field that holds a tensor's values, if it is large and can be left where it is. */
  async #large(heads: readonly Head[]): Promise<Large | null> {
    const of = (field: number): Head[] => heads.filter((h) => h.number === field);
    for (const location of of(TENSOR.location)) if ((await this.#number(location)) !== 0) return null;
    const filled = of(TENSOR.raw).filter((h) => h.length > 0);
    const values = filled.length > 0 ? of(TENSOR.raw) : of(TENSOR.floats);
    const [value, ...more] = values;
    if (!value || more.length > 0 || value.wire !== Wire.bytes || value.length < this.#limit) return null;
    if (value.number === TENSOR.floats) {
      const type = of(TENSOR.type).at(-1);
      if (!type || (await this.#number(type)) !== FLOAT || value.length % 4 !== 0) return null;
    }
    return { field: value.number, offset: value.start, length: value.length };
  }

  /** The head of a field that must lie between `at` and `end`. */
  async #head(at: number, end: number, message: DescMessage): Promise<Head> {
    const bytes = await this.#file.take(at, Math.min(LONGEST_HEAD, end - at));
    const head = readHead(bytes, 0, bytes.length);
    const found = { ...head, start: at + head.start };
    if (found.start + found.length > end) throw new Malformed('a field beyond its message');
    checkField(message, found);
    return found;
  }

  /** A short number's value. */
  async #number({ start, length }: Head): Promise<number> {
    const bytes = await this.#file.take(start, length);
    return bytes.reduceRight((n, byte) => n * 128 + (byte & 0x7f), 0);
  }

  async #copy({ number, wire, start, length }: Head, out: ByteSink): Promise<void> {
    out.append(writeVarint(number * 8 + wire));
    if (wire === Wire.bytes) out.append(writeVarint(length));
    out.reserve(length);
    await this.#file.copy(start, length, out);
  }
}

const utf8 = new TextEncoder();
