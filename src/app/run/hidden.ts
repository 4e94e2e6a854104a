/** @file How much slower a run went while its tab was hidden, by the times of its steps. */
import type { Problem } from '#workers/protocol.ts';
import { duration } from '../words/format.ts';

/** Less than that is no slowing down, and what is shorter is nobody's concern. */
const [SLOWER, SECONDS] = [1.5, 30];
/** Steps of each kind that must be known, and that are remembered: seen and hidden. */
const [LEAST, KEPT, KEPT_HIDDEN] = [3, 50, 500];

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** What there is to say of a time out of sight; null: nothing. Times of steps in milliseconds. */
export function slowedDown(
  seen: readonly number[],
  hidden: readonly number[],
  seconds: number,
): Problem | null {
  if (seen.length < LEAST || hidden.length < LEAST || seconds <= SECONDS) return null;
  const times = median(hidden) / median(seen);
  if (!Number.isFinite(times) || times <= SLOWER) return null;
  return {
    code: 'tab-hidden',
    message: `Slowed down while hidden: ${times >= 10 ? Math.round(times) : times.toFixed(1)}× for ${duration(seconds)}.`,
    safe: 'What is learned is the same.',
    cure: 'Keep this tab in view while it trains, in a window of its own for instance.',
  };
}

/** Step times in view and out of it. Times in milliseconds of any steady clock. */
export class HiddenTime {
  #seen: number[] = [];
  #hidden: number[] = [];
  #since: number | null = null;

  /** A run begins. */
  begin(hidden: boolean, now: number): void {
    this.#seen = [];
    this.#hidden = [];
    this.#since = hidden ? now : null;
  }

  /** Times of steps that were made just now. */
  note(steps: readonly number[]): void {
    if (this.#since === null) this.#seen = [...this.#seen, ...steps].slice(-KEPT);
    else this.#hidden = [...this.#hidden, ...steps].slice(-KEPT_HIDDEN);
  }

  hide(now: number): void {
    this.#since ??= now;
  }

  /** The tab is in view again, or the run is over. */
  show(now: number): Problem | null {
    if (this.#since === null) return null;
    const said = slowedDown(this.#seen, this.#hidden, (now - this.#since) / 1000);
    this.#since = null;
    this.#hidden = [];
    return said;
  }
}
