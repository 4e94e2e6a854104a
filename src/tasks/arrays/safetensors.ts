/** @file The safetensors file format: an 8-byte length, a JSON header, then the tensors' bytes (huggingface/safetensors, format section). */
import type { DType } from '#src/onnx/model.ts';
import { byteLength, type Tensor, viewBytes } from '#src/onnx/tensor.ts';
import { quoted } from '#src/platform/quoted.ts';
import { FormatError, DamagedFile } from './errors.ts';

export interface Safetensors {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: Map<string, string>;
}

/** The limit that the reference implementation sets on a header. */
const LARGEST_HEADER = 100_000_000;

/** Ascending in the reference implementation's order of element types; files list the last of these first. */
const CODES = [
  ['BOOL', 'bool'],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['I16', 'int16'],
  ['U16', 'uint16'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I32', 'int32'],
  ['U32', 'uint32'],
  ['F32', 'float32'],
  ['F64', 'float64'],
  ['I64', 'int64'],
  ['U64', 'uint64'],
] as const satisfies readonly (readonly [string, DType])[];

const typeOf = new Map<string, DType>(CODES);
const codeOf = new Map<DType, string>(CODES.map(([code, type]) => [type, code]));
const rankOf = new Map<DType, number>(CODES.map(([, type], i) => [type, i]));

interface Entry {
  readonly name: string;
  readonly type: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0;

/** The first number that is not written as a whole one: 2.0 is a shape to JavaScript, but not to the format. */
const fraction = (json: string): string | undefined =>
  /-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)/.exec(json.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'))?.[0];

/** @param bytes of the file's beginning, its header at least @param size of the whole file */
function parseHeader(
  bytes: Uint8Array,
  size: number,
): {
  readonly header: Record<string, unknown>;
  readonly start: number;
} {
  if (bytes.byteLength < 8)
    throw new FormatError(
      `Not a safetensors file: it has ${bytes.byteLength} bytes, and the header's length alone takes 8.`,
    );
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(LARGEST_HEADER))
    throw new DamagedFile(`Not a safetensors file: its first 8 bytes announce a header of ${length} bytes.`);
  const start = 8 + Number(length);
  if (start > size)
    throw new DamagedFile(
      `The safetensors file is cut short: its header should end at byte ${start}, the file at byte ${size}.`,
    );
  let header: unknown;
  let text: string;
  try {
    // A byte order mark is no JSON.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, start));
    header = JSON.parse(text);
  } catch {
    throw new DamagedFile('Not a safetensors file: its header is not JSON.');
  }
  const odd = fraction(text);
  if (odd !== undefined)
    throw new DamagedFile(`safetensors: the header says ${odd} where only whole numbers can stand.`);
  if (!isObject(header)) throw new DamagedFile('Not a safetensors file: its header is not a JSON object.');
  return { header, start };
}

function parseEntry(name: string, value: unknown, available: number): Entry {
  if (!isObject(value)) throw new DamagedFile(`safetensors: the entry of ${name} is not an object.`);
  const { dtype, shape, data_offsets: offsets } = value;
  const type = typeof dtype === 'string' ? typeOf.get(dtype) : undefined;
  if (typeof dtype === 'string' && /^F(?:[468]_|4$)/.test(dtype))
    throw new FormatError(
      `safetensors: ${name} is stored in floats of ${dtype[1]!} bits (${dtype}), which are not read: too little is left of small rotations in them. Save the file as F16, BF16 or F32 in the tool that made it.`,
    );
  if (!type)
    throw new DamagedFile(
      `safetensors: ${name} has the element type ${quoted(dtype)}, which is not supported (${[...typeOf.keys()].join(', ')} are).`,
    );
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw new DamagedFile(`safetensors: the shape of ${name} is ${quoted(shape)}.`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0]! > offsets[1]!)
    throw new DamagedFile(`safetensors: the data offsets of ${name} are ${quoted(offsets)}.`);
  const [begin, end] = offsets as [number, number];
  if (end > available)
    throw new DamagedFile(
      `safetensors: ${name} should end at byte ${end} of the data, but the file holds only ${available}. It may be cut short.`,
    );
  const wanted = byteLength(type, shape);
  if (end - begin !== wanted)
    throw new DamagedFile(
      `safetensors: ${name} [${shape.join()}] of ${String(dtype)} takes ${wanted} bytes, but has ${end - begin}.`,
    );
  return { name, type, shape, begin, end };
}

/**
 * Reads a whole file. Tensors are views of `bytes` where alignment allows, in the order of the header.
 *
 * @throws FormatError for anything that the reference implementation refuses too: bad or oversized header, unknown type,
 * sizes that do not fit the shape, tensors out of range, overlapping, or with gaps between them.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = parseHeader(bytes, bytes.byteLength);
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    // null is as none.
    if (name === '__metadata__' && value === null) continue;
    if (name !== '__metadata__') entries.push(parseEntry(name, value, bytes.byteLength - start));
    else if (!isObject(value) || !Object.values(value).every((v) => typeof v === 'string'))
      throw new DamagedFile('safetensors: __metadata__ must hold texts only.');
    else for (const [key, text] of Object.entries(value)) metadata.set(key, text as string);
  }
  let at = 0;
  let before = 'the start';
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < at) throw new DamagedFile(`safetensors: ${name} overlaps ${before}.`);
    if (begin > at)
      throw new DamagedFile(
        `safetensors: ${begin - at} bytes between ${before} and ${name} belong to no tensor.`,
      );
    [at, before] = [end, name];
  }
  if (start + at !== bytes.byteLength)
    throw new DamagedFile(
      `safetensors: ${bytes.byteLength - start - at} bytes after ${before} belong to no tensor.`,
    );
  const tensors = new Map(
    entries.map(({ name, type, shape, begin, end }): [string, Tensor] => [
      name,
      { type, shape, data: viewBytes(type, bytes.subarray(start + begin, start + end)) },
    ]),
  );
  return { tensors, metadata };
}

/** Bytes of a file's beginning that hold its header, as its first 8 say. @param size of the whole file */
export const safetensorsHead = (first: Uint8Array, size: number): number =>
  first.byteLength < 8
    ? first.byteLength
    : Math.min(
        size,
        8 +
          Math.min(
            LARGEST_HEADER,
            Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true)),
          ),
      );

/** The element types and shapes that a header names, by tensor. Throws FormatError as readSafetensors does, but for gaps. @param size of the whole file */
export function safetensorsHeader(
  bytes: Uint8Array,
  size: number,
): Map<string, Pick<Tensor, 'type' | 'shape'>> {
  const { header, start } = parseHeader(bytes, size);
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return new Map(
    entries.map(([name, value]) => {
      const { type, shape } = parseEntry(name, value, size - start);
      return [name, { type, shape }];
    }),
  );
}

/** Order of UTF-8 bytes, which is that of code points (JavaScript's own `<` compares UTF-16 units). */
function compareNames(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  const n = Math.min(x.length, y.length);
  for (let i = 0; i < n; i++) {
    const d = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (d !== 0) return d;
  }
  return x.length - y.length;
}

/**
 * Writes a file as the reference implementation does: widest element types first, then by name; the header padded with spaces to
 * a multiple of 8 bytes. `metadata` keeps its order.
 *
 * @throws FormatError for a type that safetensors lacks, or data that do not fit their shape.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  const sorted = [...tensors].sort(
    ([a, s], [b, t]) => (rankOf.get(t.type) ?? -1) - (rankOf.get(s.type) ?? -1) || compareNames(a, b),
  );
  const parts: string[] = [];
  if (metadata.size > 0) parts.push(`"__metadata__":${JSON.stringify(Object.fromEntries(metadata))}`);
  let end = 0;
  for (const [name, t] of sorted) {
    const code = codeOf.get(t.type);
    if (!code) throw new DamagedFile(`safetensors has no element type for ${name} (${t.type}).`);
    if (name === '__metadata__') throw new DamagedFile('safetensors: a tensor cannot be named __metadata__.');
    const length = byteLength(t.type, t.shape);
    if (t.data.byteLength !== length)
      throw new DamagedFile(
        `${name} [${t.shape.join()}] of ${t.type} takes ${length} bytes, but has ${t.data.byteLength}.`,
      );
    parts.push(
      `${JSON.stringify(name)}:{"dtype":"${code}","shape":[${t.shape.join()}],"data_offsets":[${end},${end + length}]}`,
    );
    end += length;
  }
  const json = new TextEncoder().encode(`{${parts.join()}}`);
  const start = 8 + Math.ceil(json.byteLength / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8 + json.byteLength, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let at = start;
  for (const [, { data }] of sorted) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
