/** @file LyCORIS's choices of block size and count from a width and a `dim`. */

/**
 * Splits a dimension in two factors, as LyCORIS's `factorization` does (executed, not read: its docstring has errors).
 * A positive factor that divides the dimension is taken; otherwise divisor pairs are walked from (1, d) upward while their sum
 * shrinks and the smaller one is at most `factor` (negative: no limit).
 *
 * @returns [smaller, larger]; their product is the dimension.
 */
export function factorization(dimension: number, factor = -1): readonly [number, number] {
  if (factor > 0 && dimension % factor === 0) {
    const other = dimension / factor;
    return factor <= other ? [factor, other] : [other, factor];
  }
  const limit = factor < 0 ? dimension : factor;
  let [m, n] = [1, dimension];
  let sum = m + n;
  while (m < n) {
    let next = m + 1;
    while (dimension % next !== 0) next++;
    const other = dimension / next;
    if (next + other > sum || next > limit) break;
    [m, n] = [next, other];
    sum = m + n;
  }
  return m <= n ? [m, n] : [n, m];
}
