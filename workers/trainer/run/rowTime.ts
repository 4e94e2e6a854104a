/** @file How many rows of samples a run has time for: they show the way, but the way is what a person waits for. */

/** So many are drawn whatever they take: a short run would show nothing of its way otherwise. */
export const ALWAYS = 7;

/** What a run has spent so far. */
export interface Spent {
  /** Rows drawn. */
  readonly rows: number;
  /** Seconds that went into them. */
  readonly sampling: number;
  /** Seconds of all that the run did. */
  readonly all: number;
}

/**
 * Whether one more row, which will take what those before took on the average, leaves all of them within their share of the run's time.
 * @param share from 0 to 1
 */
export function hasTime({ rows, sampling, all }: Spent, share: number): boolean {
  if (rows < ALWAYS) return true;
  const next = sampling / rows;
  return sampling + next <= share * (all + next);
}
