/** @file From a block choice and a width to n blocks of size b. */
import { factorization } from './factorization.ts';
import type { BlockChoice } from './types.ts';

export interface Blocks {
  /** n */
  readonly count: number;
  /** b; n·b is the width. */
  readonly size: number;
}

/** A width that the asked blocks do not divide. `nearest` are the working values on either side. */
export interface BlockMisfit {
  readonly asked: 'count' | 'size';
  readonly value: number;
  readonly nearest: readonly number[];
}

const divisors = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

/**
 * Blocks of an output of width `out`.
 * dim: LyCORIS Diag-OFT's `(block_size, block_num) = factorization(out, dim)`, so b ≤ n; count: the OFT paper's r; size: b itself.
 */
export function chooseBlocks(out: number, choice: BlockChoice): Blocks | BlockMisfit {
  if (choice.dim !== undefined) {
    const [size, count] = factorization(out, choice.dim);
    return { size, count };
  }
  const [asked, value] =
    choice.count !== undefined ? (['count', choice.count] as const) : (['size', choice.size ?? 1] as const);
  if (Number.isInteger(value) && value > 0 && out % value === 0)
    return asked === 'count' ? { count: value, size: out / value } : { size: value, count: out / value };
  const all = divisors(out);
  const below = all.filter((d) => d <= value).at(-1);
  const above = all.find((d) => d > value);
  return { asked, value, nearest: [below, above].filter((d) => d !== undefined) };
}

export const isMisfit = (b: Blocks | BlockMisfit): b is BlockMisfit => 'nearest' in b;
