/** @file Counter-based random numbers: what a (seed, stream, step) draws depends on nothing drawn before it. */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11): a bijection of a 128-bit counter
 * under a 64-bit key. Takes and gives unsigned 32-bit words.
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0) >>> 0;
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** FNV-1a of the UTF-16 units: names a stream by a 32-bit word. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

const low = (x: number): number => x % 2 ** 32;
const high = (x: number): number => Math.floor(x / 2 ** 32);

/** Draws of one (seed, stream, step). Later calls continue where earlier ones ended. */
export class Random {
  readonly #key: readonly [number, number];
  readonly #step: number;
  readonly #stream: number;
  #block = 0;
  #words: readonly number[] = [];
  #used = 0;

  constructor(seed: number, stream: string, step: number) {
    for (const [name, x] of [
      ['seed', seed],
      ['step', step],
    ] as const)
      if (!Number.isSafeInteger(x) || x < 0)
        throw new RangeError(`A ${name} must be a whole number from 0 to 2^53 − 1, not ${x}.`);
    this.#key = [low(seed), high(seed)];
    this.#step = step;
    this.#stream = hash(stream);
  }

  /** The next unsigned 32-bit word. */
  #word(): number {
    if (this.#used === this.#words.length) {
      const counter = [this.#block++, low(this.#step), high(this.#step), this.#stream] as const;
      this.#words = philox(counter, this.#key);
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }

  /** n numbers in (0, 1): centres of 2^32 equal cells. */
  uniform(n: number): Float64Array {
    return Float64Array.from({ length: n }, () => (this.#word() + 0.5) / 2 ** 32);
  }

  /** n standard normal numbers: Box–Muller in float64, stored as float32. */
  normal(n: number): Float32Array {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((this.#word() + 0.5) / 2 ** 32));
      const angle = 2 * Math.PI * ((this.#word() + 0.5) / 2 ** 32);
      out[i] = radius * Math.cos(angle);
      if (i + 1 < n) out[i + 1] = radius * Math.sin(angle);
    }
    return out;
  }

  /** One whole number in [0, max), without bias: words above the largest multiple of max are drawn again. */
  #integer(max: number): number {
    const limit = 2 ** 32 - (2 ** 32 % max);
    for (;;) {
      const word = this.#word();
      if (word < limit) return word % max;
    }
  }

  /** n whole numbers in [0, max), max ≤ 2^32. */
  integers(n: number, max: number): Uint32Array {
    if (!Number.isInteger(max) || max < 1 || max > 2 ** 32)
      throw new RangeError(`integers: max must lie between 1 and 2^32, not ${max}.`);
    return Uint32Array.from({ length: n }, () => this.#integer(max));
  }

  /** A random order of 0 … n − 1 (Fisher–Yates). */
  permutation(n: number): Uint32Array {
    const out = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.#integer(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}

/**
 * The random numbers of one step of a named stream ("noise", "order" …). Equal arguments give equal numbers in every
 * engine and need no history.
 */
export const random = (seed: number, stream: string, step: number): Random => new Random(seed, stream, step);
