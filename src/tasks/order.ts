/** @file The endless order of training examples: a fresh permutation of all of them in each epoch. */
import { random } from '#src/tasks/random.ts';

export class EpochOrder {
  #known: { readonly epoch: number; readonly permutation: Uint32Array } | undefined;
  constructor(
    readonly seed: number,
    readonly count: number,
  ) {
    if (count < 1) throw new RangeError('There must be at least one example.');
  }

  /** Which example stands at place k = 0, 1, … */
  at(place: number): number {
    const epoch = Math.floor(place / this.count);
    if (this.#known?.epoch !== epoch)
      this.#known = { epoch, permutation: random(this.seed, 'order', epoch).permutation(this.count) };
    return this.#known.permutation[place % this.count]!;
  }
}

/**
 * Splits groups (classes) by seed: of each group the share is held out, rounded, at least one of two or more, never all.
 * @returns indices by group
 */
export function stratifiedSplit(
  sizes: readonly number[],
  share: number,
  seed: number,
): { readonly train: number[][]; readonly heldout: number[][] } {
  const train: number[][] = [];
  const heldout: number[][] = [];
  sizes.forEach((size, group) => {
    const count = share > 0 && size > 1 ? Math.min(size - 1, Math.max(1, Math.round(size * share))) : 0;
    const order = random(seed, 'split', group).permutation(size);
    heldout.push(Array.from(order.slice(0, count).sort()));
    train.push(Array.from(order.slice(count).sort()));
  });
  return { train, heldout };
}

/** The same of one group: its examples themselves. */
export function splitShare<E>(
  all: readonly E[],
  share: number,
  seed: number,
): { readonly train: E[]; readonly heldout: E[] } {
  const { train, heldout } = stratifiedSplit([all.length], share, seed);
  const pick = (part: readonly number[]): E[] => part.map((i) => all[i]!);
  return { train: pick(train[0]!), heldout: pick(heldout[0]!) };
}
