/** @file NumPy's .npy format: magic, version, a Python dict as header, then the numbers (NumPy enhancement proposal 1). */
import { Breath } from '#src/platform/breath.ts';
import type { DType } from '#src/onnx/model.ts';
import { byteLength, sizeOf, type Tensor, viewBytes } from '#src/onnx/tensor.ts';
import { FormatError, DamagedFile } from './errors.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const LARGEST_HEADER = 1 << 20;
/** Bytes or numbers that are turned round between two looks whether a breath is due; a multiple of every width. */
const PIECE = 65_536;

/** Kind and bytes of NumPy's type codes. */
const types: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};

/** Whether the bytes start as an .npy file does. */
export const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((b, i) => bytes[i] === b);

function headerOf(bytes: Uint8Array): { readonly text: string; readonly start: number } {
  if (!isNpy(bytes)) throw new DamagedFile('Not an .npy file: it does not begin with \\x93NUMPY.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const major = bytes[6] ?? 0;
  if (major < 1 || major > 3 || bytes.byteLength < 12)
    throw new FormatError(`The .npy file has version ${major}; 1 to 3 are read. It may be cut short.`);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const at = major === 1 ? 10 : 12;
  if (length > LARGEST_HEADER || at + length > bytes.byteLength)
    throw new DamagedFile(`The .npy file is cut short: its header should have ${length} bytes.`);
  return { text: new TextDecoder().decode(bytes.subarray(at, at + length)), start: at + length };
}

function shapeOf(text: string): number[] {
  const found = /'shape'\s*:\s*\(([^)]*)\)/.exec(text)?.[1];
  const shape = found
    ?.split(',')
    .map((d) => d.trim().replace(/L$/, ''))
    .filter((d) => d !== '');
  if (!shape?.every((d) => /^\d{1,15}$/.test(d)))
    throw new DamagedFile(`The .npy file's header has no shape: ${text.trim().slice(0, 80)}.`);
  return shape.map(Number);
}

/** The bytes with every number's bytes turned round. */
async function swapped(bytes: Uint8Array, width: number, breath: Breath): Promise<Uint8Array> {
  const out = new Uint8Array(bytes.length);
  for (let from = 0; from < bytes.length; from += width) {
    if (from % PIECE === 0 && breath.due) await breath.take();
    for (let i = 0; i < width; i++) out[from + i] = bytes[from + width - 1 - i]!;
  }
  return out;
}

/** Numbers as wholes of their width: moving them asks for no more. */
const wholes = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const;

/** Column-major numbers in row-major order. */
async function rowMajor(
  bytes: Uint8Array,
  width: number,
  shape: readonly number[],
  breath: Breath,
): Promise<Uint8Array> {
  const Whole = wholes[width as keyof typeof wholes];
  const from = new Whole(bytes.slice().buffer) as Uint32Array;
  const out = new Whole(from.length) as Uint32Array;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const last = shape.at(-1)!;
  const step = strides.at(-1)!;
  const index = shape.map(() => 0);
  for (let to = 0, start = 0, looked = 0; to < out.length;) {
    for (let k = 0, at = start; k < last; k++, at += step) out[to++] = from[at]!;
    if (to - looked >= PIECE) {
      looked = to;
      if (breath.due) await breath.take();
    }
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      start += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      start -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return new Uint8Array(out.buffer);
}

/** What an .npy file's beginning says of its numbers. */
export interface NpyHeader {
  readonly type: DType;
  readonly shape: readonly number[];
  /** Where the numbers begin. */
  readonly start: number;
  /** Bytes of a number come the largest first. */
  readonly swapped: boolean;
  /** Column-major. */
  readonly fortran: boolean;
}

/** An .npy file's header, of as many bytes of its beginning as it has. Throws FormatError for what are no numbers: Python objects, texts, complex numbers. */
export function npyHeader(bytes: Uint8Array): NpyHeader {
  const { text, start } = headerOf(bytes);
  const code = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const [, order, kind] = /^([<>|=]?)([a-z]\d+)$/.exec(code ?? '') ?? [];
  const type = types[kind ?? ''];
  if (!type)
    throw new FormatError(
      `The .npy file holds ${code === undefined ? 'records or objects' : `numbers of the type "${code}"`}. Save it as a plain array of float32 or integers.`,
    );
  const fortran = /'fortran_order'\s*:\s*True/.test(text);
  return { type, shape: shapeOf(text), start, swapped: order === '>', fortran };
}

/** Reads an .npy file of numbers, row-major whatever the file's order. Throws FormatError for anything else, and for a wrong length; and what the breath throws. */
export async function readNpy(bytes: Uint8Array, breath: Breath = new Breath()): Promise<Tensor> {
  const { type, shape, start, swapped: turned, fortran } = npyHeader(bytes);
  const wanted = byteLength(type, shape);
  if (bytes.byteLength - start !== wanted)
    throw new DamagedFile(
      `The .npy file should hold ${wanted} bytes of numbers for [${shape.join()}] of ${type}, but holds ${bytes.byteLength - start}.`,
    );
  const width = sizeOf(shape) > 0 ? wanted / sizeOf(shape) : 1;
  let data = bytes.subarray(start);
  if (turned) data = await swapped(data, width, breath);
  if (fortran && shape.length > 1) data = await rowMajor(data, width, shape, breath);
  return { type, shape, data: viewBytes(type, data) };
}

/** Where the numbers begin is a multiple of this. */
const ALIGNED = 64;

/** The array as an .npy file of version 1, row-major. */
export function writeNpy({ type, shape, data }: Tensor): Uint8Array {
  const kind = Object.entries(types).find(([, known]) => known === type)?.[0];
  if (kind === undefined)
    throw new FormatError(`NumPy has no numbers of the type ${type}. Save them as float32.`);
  const order = kind.endsWith('1') ? '|' : '<';
  const size = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${order}${kind}', 'fortran_order': False, 'shape': (${size}), }`;
  const start = ALIGNED * Math.ceil((10 + dict.length + 1) / ALIGNED);
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([...MAGIC, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(`${dict.padEnd(start - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}
