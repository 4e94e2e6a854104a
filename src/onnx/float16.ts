/** @file Half-precision and bfloat16 bit patterns ↔ numbers, rounding to nearest, ties to even. */
import { roundEven } from '#src/platform/roundEven.ts';

const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** The value of an IEEE 754 binary16 bit pattern. */
export function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The binary16 bit pattern nearest to `x`; beyond 65,504 (+ half a step) it is an infinity. */
export function numberToHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const a = Math.abs(x);
  if (Number.isNaN(a)) return 0x7e00;
  if (a >= 65520) return sign | 0x7c00;
  // Below 2⁻¹⁴ the spacing is constant (subnormals); above it is 2^(exponent − 10).
  if (a < 2 ** -14) return sign | roundEven(a * 2 ** 24);
  scratch[0] = a;
  let exponent = (bits[0]! >> 23) - 127;
  if (2 ** exponent > a) exponent--; // rounding to float32 may have reached the next power of two
  const fraction = roundEven((a / 2 ** exponent - 1) * 1024);
  return sign | (((exponent + 15) << 10) + fraction);
}

/** Every binary16 pattern's value; made when first wanted. */
let halves: Float32Array | undefined;

/** The values of binary16 bit patterns. */
export function halvesToNumbers(patterns: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const table = (halves ??= Float32Array.from({ length: 65_536 }, (_, i) => halfToNumber(i)));
  const values = new Float32Array(patterns.length);
  for (let i = 0; i < values.length; i++) values[i] = table[patterns[i]!]!;
  return values;
}

/** The binary16 bit patterns nearest to float32 values, by their own bits: as numberToHalf, of millions at a time. */
export function numbersToHalves(values: Float32Array): Uint16Array {
  const patterns = new Uint16Array(values.length);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) {
    const sign = (words[i]! >>> 16) & 0x8000;
    const x = words[i]! & 0x7fff_ffff;
    const exponent = x >>> 23;
    if (exponent >= 113) {
      // From 65,520 on, the next power of two would be reached: an infinity. What is no number keeps no sign.
      if (x >= 0x477f_f000) patterns[i] = x > 0x7f80_0000 ? 0x7e00 : sign | 0x7c00;
      else patterns[i] = sign | ((x - 0x3800_0000 + 0xfff + ((x >>> 13) & 1)) >>> 13);
    } else if (exponent >= 102) {
      // Below 2⁻¹⁴ halves are multiples of 2⁻²⁴: the fraction, its leading one included, moves so many bits.
      const shift = 126 - exponent;
      const fraction = (x & 0x7f_ffff) | 0x80_0000;
      const floor = fraction >>> shift;
      patterns[i] = sign | ((fraction + (1 << (shift - 1)) - 1 + (floor & 1)) >>> shift);
    } else patterns[i] = sign;
  }
  return patterns;
}

/** The value of a bfloat16 bit pattern: the upper half of a float32. */
export function bfloatToNumber(bfloat: number): number {
  bits[0] = bfloat << 16;
  return scratch[0]!;
}

/** The bfloat16 bit pattern nearest to `x`. */
export function numberToBfloat(x: number): number {
  scratch[0] = x;
  const u = bits[0]!;
  if (Number.isNaN(x)) return 0x7fc0;
  return ((u + 0x7fff + ((u >>> 16) & 1)) >>> 16) & 0xffff;
}
