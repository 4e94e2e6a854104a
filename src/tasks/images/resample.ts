/**
 * @file Scaling as Pillow does it (Image.resize with a box), bit for bit: each new pixel is a weighted mean over all old ones that it covers, so
 * that fine patterns do not turn into others. Browsers' own scaling goes by halves and leaves such patterns at sizes between.
 */
import type { Box } from './augment.ts';

/** Weights have so many binary places, which leaves room for the sum in 32 bits. */
const PLACES = 22;

/** Kernels by Pillow's names. */
export type Filter = 'bicubic' | 'bilinear' | 'lanczos' | 'hamming' | 'box';

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** How far each kernel reaches to either side, in (new) pixels, and its weight there. */
const kernels: Readonly<Record<Filter, { readonly reach: number; readonly at: (x: number) => number }>> = {
  bicubic: {
    reach: 2,
    /** Keys' kernel with a = −1/2. */
    at: (signed) => {
      const x = Math.abs(signed);
      const a = -0.5;
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
      return 0;
    },
  },
  bilinear: { reach: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  lanczos: { reach: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  hamming: {
    reach: 1,
    at: (signed) => {
      const x = Math.abs(signed);
      return x >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * Math.cos(Math.PI * x));
    },
  },
  box: { reach: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
};

/** One axis: for each new pixel, the old ones that it is made of. */
interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** Weights of new pixel i from i·most on. */
  readonly weights: Int32Array;
  readonly most: number;
}

/**
 * @param limit old pixels
 * @param from,length the part of the axis that is scaled, in old pixels
 * @param n new pixels
 */
function tapsOf(limit: number, from: number, length: number, n: number, filter: Filter): Taps {
  const { reach, at } = kernels[filter];
  const scale = length / n;
  const wide = Math.max(1, scale);
  const support = reach * wide;
  const most = 2 * Math.ceil(support) + 1;
  const [starts, counts] = [new Int32Array(n), new Int32Array(n)];
  const weights = new Int32Array(n * most);
  for (let i = 0; i < n; i++) {
    const centre = from + (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(limit, Math.trunc(centre + support + 0.5)) - start;
    const own = Array.from({ length: count }, (_, k) => at((k + start - centre + 0.5) / wide));
    const sum = own.reduce((a, b) => a + b, 0);
    starts[i] = start;
    counts[i] = count;
    own.forEach((w, k) => {
      const fixed = (w / (sum || 1)) * 2 ** PLACES;
      weights[i * most + k] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    });
  }
  return { starts, counts, weights, most };
}

const ends = ({ starts, counts }: Taps): readonly [first: number, end: number] => {
  const last = starts.length - 1;
  return [starts[0]!, starts[last]! + counts[last]!];
};

const HALF = 2 ** (PLACES - 1);
/** A sum of weighted bytes as a byte. */
const byte = (sum: number): number => Math.min(255, Math.max(0, sum >> PLACES));

/** Takes a picture's rows in strips, so that a large one need not lie in memory as a whole. */
export class Resampler {
  /** Columns and rows of the picture that count, [first, end). */
  readonly columns: readonly [number, number];
  readonly rows: readonly [number, number];
  readonly #across: Taps;
  readonly #down: Taps;
  readonly #size: { readonly width: number; readonly height: number };
  /** RGB rows at the new width. */
  readonly #narrow: Uint8Array;

  /**
   * @param picture its size
   * @param box the part that is scaled; need not be whole pixels
   * @param size of the result
   */
  constructor(
    picture: { readonly width: number; readonly height: number },
    box: Box,
    size: { readonly width: number; readonly height: number },
    filter: Filter = 'bicubic',
  ) {
    this.#size = size;
    this.#across = tapsOf(picture.width, box.x, box.width, size.width, filter);
    this.#down = tapsOf(picture.height, box.y, box.height, size.height, filter);
    this.columns = ends(this.#across);
    this.rows = ends(this.#down);
    this.#narrow = new Uint8Array(3 * size.width * (this.rows[1] - this.rows[0]));
  }

  /**
   * @param rgba rows of the columns that count, opaque, row-major
   * @param first the picture's row that they begin with
   */
  add(rgba: Uint8ClampedArray, first: number): void {
    const { starts, counts, weights, most } = this.#across;
    const narrow = this.#narrow;
    const width = this.columns[1] - this.columns[0];
    const count = rgba.length / (4 * width);
    let to = 3 * this.#size.width * (first - this.rows[0]);
    for (let row = 0; row < count; row++)
      for (let i = 0; i < starts.length; i++) {
        let at = 4 * (row * width + starts[i]! - this.columns[0]);
        let r = HALF;
        let g = HALF;
        let b = HALF;
        const end = i * most + counts[i]!;
        for (let k = i * most; k < end; k++, at += 4) {
          const w = weights[k]!;
          r += w * rgba[at]!;
          g += w * rgba[at + 1]!;
          b += w * rgba[at + 2]!;
        }
        narrow[to++] = byte(r);
        narrow[to++] = byte(g);
        narrow[to++] = byte(b);
      }
  }

  /** RGBA of the new size, opaque; all rows must have been added. */
  finish(): Uint8ClampedArray<ArrayBuffer> {
    const { starts, counts, weights, most } = this.#down;
    const { width, height } = this.#size;
    const stride = 3 * width;
    const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
    const sums = new Float64Array(stride);
    const narrow = this.#narrow;
    for (let y = 0; y < height; y++) {
      sums.fill(HALF);
      for (let k = 0; k < counts[y]!; k++) {
        const w = weights[y * most + k]!;
        const from = stride * (starts[y]! + k - this.rows[0]);
        for (let i = 0; i < stride; i++) sums[i] = sums[i]! + w * narrow[from + i]!;
      }
      for (let i = 0, to = 4 * width * y; i < stride; i += 3, to += 4)
        for (let c = 0; c < 3; c++) rgba[to + c] = byte(sums[i + c]!);
    }
    return rgba;
  }
}
