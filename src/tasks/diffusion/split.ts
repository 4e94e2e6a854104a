/** @file Pictures held apart by seed, where no others are given to judge by. */
import { stratifiedSplit } from '#src/tasks/order.ts';
import type { Examples } from './examples.ts';

interface Split {
  readonly train: Examples;
  /** null: nothing is held out. */
  readonly heldout: Examples | null;
}

/** The same pictures are the same objects: what was encoded of them is found again. */
const known = new WeakMap<Examples, Map<string, Split>>();

/**
 * Holds a share of the pictures out, rounded, at least one and never all; shapes keep their shares. Problems and thumbnails of the folder
 * stay with the pictures that are trained on.
 *
 * @param share from 0 (nothing) to below 1
 */
export function heldApart(all: Examples, share: number, seed: number): Split {
  if (share <= 0 || all.list.length < 2) return { train: all, heldout: null };
  const splits = known.get(all) ?? new Map<string, Split>();
  known.set(all, splits);
  const key = `${share} ${seed}`;
  const made = splits.get(key) ?? split(all, share, seed);
  splits.set(key, made);
  return made;
}

function split(all: Examples, share: number, seed: number): Split {
  const buckets = [...new Set(all.list.map((e) => e.bucket))].sort((a, b) => a - b);
  const groups = buckets.map((b) => all.list.flatMap((e, i) => (e.bucket === b ? [i] : [])));
  const parts = stratifiedSplit(
    groups.map((group) => group.length),
    share,
    seed,
  );
  const held = new Set(parts.heldout.flatMap((part, g) => part.map((i) => groups[g]![i]!)));
  if (held.size === 0) return { train: all, heldout: null };
  return {
    train: { ...all, list: all.list.filter((_, i) => !held.has(i)) },
    heldout: { ...all, list: all.list.filter((_, i) => held.has(i)), problems: [], shown: [] },
  };
}
