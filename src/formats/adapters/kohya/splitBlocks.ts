/**
 * @file kohya's OFT for FLUX and SD3 keeps the blocks of a merged projection (query, key and value in one) in parts, `oft_blocks.0`, `.1`, …, one
 * for each slice of the outputs. Side by side they are one block-diagonal rotation, which is how they are read.
 */
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { FormatError, Misfit } from '../../errors.ts';
import { toFloat32 } from '../../files/floats.ts';

const part = /^(.*\.oft_blocks)\.(\d+)$/;

export const isSplit = (key: string): boolean => part.test(key);

/** More numbers than this are no adapter. */
const LARGEST = 2 ** 28;

interface Part {
  readonly count: number;
  readonly size: number;
  readonly blocks: Float32Array;
}

function partOf(key: string, t: Tensor): Part {
  const [count = 0, size = 0, other] = t.shape;
  if (t.shape.length !== 3 || count === 0 || size === 0 || size !== other)
    throw new Misfit(`${key} has shape [${t.shape.join()}]: a part of a projection takes [n,b,b].`);
  return { count, size, blocks: toFloat32(t, key) };
}

/** Q = B − Bᵀ of one part, bounded by alpha times its outputs, as kohya bounds each by itself. */
function bounded({ count, size, blocks }: Part, alpha: number): Float32Array {
  const limit = alpha * count * size;
  if (!(limit > 0)) return blocks;
  let sum = 0;
  for (let k = 0; k < blocks.length; k += size * size)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) sum += (blocks[k + i * size + j]! - blocks[k + j * size + i]!) ** 2;
  const norm = Math.sqrt(sum);
  return norm > limit ? blocks.map((x) => x * ((limit + 1e-8) / (norm + 1e-8))) : blocks;
}

/** The smallest size into which the whole width can be cut so that every block of every part lies in one. */
function commonSize(parts: readonly Part[], width: number): number {
  const largest = Math.max(...parts.map((p) => p.size));
  const fits = (size: number): boolean => {
    let row = 0;
    for (const p of parts)
      for (let k = 0; k < p.count; k++, row += p.size)
        if (Math.floor(row / size) !== Math.floor((row + p.size - 1) / size)) return false;
    return true;
  };
  for (let size = largest; size < width; size++) if (width % size === 0 && fits(size)) return size;
  return width;
}

/** Blocks of all parts as blocks of one size: smaller ones lie along the diagonal of larger ones, which turns the same. */
function sideBySide(stem: string, parts: readonly Part[]): Tensor {
  const width = parts.reduce((n, p) => n + p.count * p.size, 0);
  const size = commonSize(parts, width);
  const count = width / size;
  if (width * size > LARGEST)
    throw new FormatError(
      `${stem} is kept in parts with blocks of ${parts.map((p) => p.size).join(', ')}, which fit no blocks of one size that memory holds. Merge it into the model in sd-scripts, export the model to ONNX, and open it here.`,
    );
  const out = new Float32Array(count * size * size);
  let row = 0;
  for (const p of parts)
    for (let k = 0; k < p.count; k++, row += p.size) {
      const [block, at] = [Math.floor(row / size), row % size];
      for (let i = 0; i < p.size; i++)
        out.set(
          p.blocks.subarray((k * p.size + i) * p.size, (k * p.size + i + 1) * p.size),
          (block * size + at + i) * size + at,
        );
    }
  return { type: 'float32', shape: [count, size, size], data: out };
}

export interface Joined {
  readonly tensors: Map<string, Tensor>;
  /** What stands before `.oft_blocks` of those whose limit is baked in. */
  readonly baked: ReadonlySet<string>;
  /** Plain sentences on what was joined. */
  readonly notes: readonly string[];
}

/**
 * The tensors with parts joined; the others as they are. Alpha of what was joined of several parts is baked in.
 * @throws FormatError where a part is missing, or parts cannot lie side by side.
 */
export function joinParts(tensors: ReadonlyMap<string, Tensor>): Joined {
  const parts = new Map<string, Map<number, string>>();
  const out = new Map<string, Tensor>();
  for (const [key, t] of tensors) {
    const found = part.exec(key);
    if (!found) {
      out.set(key, t);
      continue;
    }
    const own = parts.get(found[1]!) ?? new Map<number, string>();
    parts.set(found[1]!, own.set(Number(found[2]), key));
  }
  const joined: string[] = [];
  for (const [name, keys] of parts) {
    const stem = name.slice(0, -'.oft_blocks'.length);
    const all = Array.from({ length: keys.size }, (_, i) => {
      const key = keys.get(i);
      if (key === undefined) throw new Misfit(`${name}.${i} is missing: the file holds other parts of it.`);
      return partOf(key, tensors.get(key)!);
    });
    if (tensors.has(name)) throw new Misfit(`The file has ${name} both whole and in parts.`);
    const alphaKey = `${stem}.alpha`;
    const given = tensors.get(alphaKey);
    const alpha = given
      ? /^u?int/.test(given.type)
        ? numbersOf(given)[0]!
        : toFloat32(given, alphaKey)[0]!
      : 0;
    const several = all.length > 1;
    out.set(name, sideBySide(stem, several ? all.map((p) => ({ ...p, blocks: bounded(p, alpha) })) : all));
    if (several && given) out.set(alphaKey, tensor('float32', [], [0]));
    if (several) joined.push(stem);
  }
  const notes =
    joined.length === 0
      ? []
      : [
          `${joined.length === 1 ? joined[0]! : `${joined[0]!} and ${joined.length - 1} more`}: kohya's parts of a merged projection are joined side by side; the limit of each is baked into its blocks.`,
        ];
  return { tensors: out, baked: new Set(joined), notes };
}
