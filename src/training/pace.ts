/** @file How long the rest of a run will take. */

/** Moving median of step times: one slow step (a compile, a hidden tab) does not move it. */
export class Pace {
  readonly #times: number[] = [];
  readonly #window: number;

  constructor(window = 31) {
    this.#window = window;
  }

  add(ms: number): void {
    this.#times.push(ms);
    if (this.#times.length > this.#window) this.#times.shift();
  }

  /** Median of the last steps, ms; 0 before the first. */
  get median(): number {
    const sorted = [...this.#times].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    if (sorted.length === 0) return 0;
    return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  }

  secondsFor(steps: number): number {
    return (this.median * steps) / 1000;
  }
}
