/** @file LyCORIS's choice of BOFT's block size and count from a width and a `dim`. */

/** The exponent of the largest power of two that divides a positive integer: how often it can be halved. */
export const halvings = (n: number): number => {
  let exponent = 0;
  for (let rest = n; rest % 2 === 0; rest /= 2) exponent++;
  return exponent;
};

/**
 * Splits a dimension into an even block size and a power of two, as LyCORIS's `power2factorization` does: the largest even b ≤ factor
 * (−1: no limit) with dimension/b a power of two.
 *
 * @returns [b, n] with b·n = dimension; null where LyCORIS raises.
 */
export function power2factorization(dimension: number, factor = -1): readonly [number, number] | null {
  const limit = factor === -1 ? dimension : factor;
  for (let size = dimension, count = 1; ; size /= 2, count *= 2) {
    if (size % 2 !== 0) return null;
    if (size <= limit) return [size, count];
  }
}
