/** @file Which checkpoints of a run are kept: the newest, and some earlier ones to go back to, evenly apart. */
import type { Kept } from './runRecords.ts';

/** The newest ones stay, whatever they take: if the last cannot be read, the one before it is. */
export const NEWEST = 2;
/** Of the earlier ones. */
export const EARLIER = 4;
/** Bytes of a run's checkpoints, beyond which no earlier ones are kept. */
export const ROOM = 64 * 2 ** 20;

/** Updates between the neighbours of an earlier checkpoint: what would lie open without it. */
function gap(all: readonly Kept[], i: number): number {
  const at = all[i]?.mark;
  // Of unknown place: it goes first.
  if (!at) return -Infinity;
  const before = all[i - 1]?.mark?.step ?? 0;
  const after = all[i + 1]?.mark?.step ?? at.step;
  return after - before;
}

/** What is kept of a run's checkpoints. @param all oldest first */
export function spaced(all: readonly Kept[], room = ROOM): Kept[] {
  const kept = [...all];
  const bytes = (): number => kept.reduce((n, each) => n + each.bytes, 0);
  while (kept.length > NEWEST && (kept.length > NEWEST + EARLIER || bytes() > room)) {
    const earlier = kept.slice(0, -NEWEST).map((_, i) => gap(kept, i));
    kept.splice(earlier.indexOf(Math.min(...earlier)), 1);
  }
  return kept;
}
