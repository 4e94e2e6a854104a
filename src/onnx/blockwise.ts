/**
 * @file Float weights as small whole numbers: along one axis in blocks, w ≈ scale·q with q of 4 or 8 bits and one scale to a block (DequantizeLinear's
 * `block_size`).
 */
import { Breath } from '#src/platform/breath.ts';
import { ModelError } from './model.ts';
import { sizeOf } from './tensor.ts';

export type Bits = 4 | 8;

/** How a tensor is cut into blocks. */
export interface Blocks {
  readonly bits: Bits;
  /** The axis that blocks lie along, from 0. */
  readonly axis: number;
  /** Numbers of a block; a divisor of the axis. */
  readonly size: number;
}

/** A tensor in blocks. */
export interface Blockwise {
  /** q in the order of the tensor: int4 in two's complement, two to a byte, low nibble first; or uint8 with zero point 128. */
  readonly numbers: Uint8Array<ArrayBuffer>;
  /** The tensor's shape, with one scale for each block along the axis. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** ‖W − Ŵ‖_F ÷ ‖W‖_F; 0 for zeros. */
  readonly error: number;
}

/** Sizes of blocks that are aimed at; measured, see ARCHITECTURE.md. */
const AIM = { 4: 32, 8: 64 } as const;
/** With smaller blocks the scales would take what the numbers save. */
const LEAST = 16;

/** The largest size of a block up to what is usual, of at least 16, that divides an axis of so many numbers; null: none does. */
export function blockSize(bits: Bits, axis: number): number | null {
  for (let size = Math.min(AIM[bits], axis); size >= LEAST; size--) if (axis % size === 0) return size;
  return null;
}

/** Shape of the scales. */
export const scalesShape = (shape: readonly number[], { axis, size }: Blocks): number[] =>
  shape.map((d, i) => (i === axis ? d / size : d));

/**
 * The scales to try for a block whose number of the largest magnitude is `most`.
 * Eight bits: absolute maximum, |w − ŵ| ≤ scale/2. Four bits: the same, and two at which `most` itself goes to −8, the end of the range that is one
 * step longer: exactly, or cut a little, which others gain by.
 */
const candidates = (bits: Bits, most: number): readonly number[] =>
  bits === 8 ? [Math.abs(most) / 127] : [most / -8, (0.9 * most) / -8, Math.abs(most) / 7];

/** Σ(w − s·q)², Σwq and Σq² of a block rounded with the scale s. */
class Fit {
  error = 0;
  byNumbers = 0;
  squares = 0;
  readonly #low: number;
  readonly #high: number;

  constructor(bits: Bits) {
    this.#low = bits === 8 ? -127 : -8;
    this.#high = bits === 8 ? 127 : 7;
  }

  /** To the nearest whole number, halves up, within the range. */
  round(w: number, scale: number): number {
    if (scale === 0) return 0;
    // Bits of whole numbers are cut off towards 0: above it, that is rounding down.
    const q = ((w / scale + 256.5) | 0) - 256;
    return q < this.#low ? this.#low : q > this.#high ? this.#high : q;
  }

  of(block: Float32Array, scale: number): number {
    let [error, byNumbers, squares] = [0, 0, 0];
    for (let i = 0; i < block.length; i++) {
      const w = block[i]!;
      const q = this.round(w, scale);
      error += (w - scale * q) ** 2;
      byNumbers += w * q;
      squares += q * q;
    }
    this.error = error;
    this.byNumbers = byNumbers;
    this.squares = squares;
    return error;
  }
}

/** The scale with the least squared error among the candidates, and of four bits among what fits each one's numbers best, Σwq ÷ Σq². */
function bestScale(fit: Fit, block: Float32Array, bits: Bits, most: number): number {
  let [best, least] = [0, Infinity];
  const take = (scale: number): void => {
    const error = fit.of(block, scale);
    if (error < least) [best, least] = [scale, error];
  };
  for (const wanted of candidates(bits, most)) {
    take(Math.fround(wanted));
    if (bits === 4 && fit.squares > 0) take(Math.fround(fit.byNumbers / fit.squares));
  }
  fit.error = least;
  return best;
}

/** Numbers between two looks at the clock. */
const STRETCH = 2 ** 16;

/**
 * Rounds a tensor.
 * @param name of the weight, for people
 * @param breath hears a cancel on the way
 * @throws ModelError where a number is not finite
 */
export async function toBlocks(
  name: string,
  values: Float32Array,
  shape: readonly number[],
  { bits, axis, size }: Blocks,
  breath = new Breath(),
): Promise<Blockwise> {
  const inner = sizeOf(shape.slice(axis + 1));
  const numbers = new Uint8Array(bits === 8 ? values.length : Math.ceil(values.length / 2));
  const scales = new Float32Array(values.length / size);
  const fit = new Fit(bits);
  const block = new Float32Array(size);
  let [error, norm, next] = [0, 0, 0];
  for (let at = 0; at < scales.length; at++) {
    if (at * size >= next) {
      next += STRETCH;
      if (breath.due) await breath.take();
    }
    // Scales lie as [outer, length ÷ size, inner], numbers as [outer, length ÷ size, size, inner].
    const start = Math.floor(at / inner) * size * inner + (at % inner);
    let most = 0;
    for (let i = 0; i < size; i++) {
      const w = values[start + i * inner]!;
      block[i] = w;
      norm += w * w;
      if (Math.abs(w) > Math.abs(most)) most = w;
    }
    if (!Number.isFinite(norm)) throw new ModelError(notFinite(name), { cure: throughout });
    const scale = bestScale(fit, block, bits, most);
    error += fit.error;
    scales[at] = scale;
    for (let i = 0; i < size; i++) {
      const q = fit.round(block[i]!, scale);
      const place = start + i * inner;
      if (bits === 8) numbers[place] = q + 128;
      else numbers[place >> 1]! |= (q & 15) << (4 * (place & 1));
    }
  }
  return { numbers, scales, error: norm === 0 ? 0 : Math.sqrt(error / norm) };
}

const notFinite = (name: string): string =>
  `The weight ${name} holds numbers that are not finite (NaN or infinity), which cannot be rounded to fewer bits.`;

const throughout =
  'Export the model again: it cannot be of use as it is. If it is all the same, train it with its weights as they are (quantise = "no").';
