/** @file Time left for people: the worker's figure is for training steps alone; rows of samples and judging take their share. */
import type { RunEvent } from '#workers/protocol.ts';

/** Learns from the rows already drawn how long the coming ones take. Times in milliseconds of any steady clock. */
export class TimeLeft {
  readonly #total: number;
  readonly #every: number;
  #step: number;
  /** Of the steps alone, as of the last batch of records. */
  #training: number | null = null;
  /** Since when samples are drawn or images judged; null while it trains. */
  #since: number | null = null;
  #firstRow: number | null = null;
  #laterRow: number | null = null;

  /** `every`: a row of samples every so many steps; 0: at the ends only. */
  constructor(total: number, every: number, step: number) {
    this.#total = total;
    this.#every = every;
    this.#step = step;
  }

  note(event: RunEvent, now: number): void {
    if (event.kind === 'steps') {
      this.#training = event.secondsLeft;
      this.#step = (event.records.at(-1)?.step ?? this.#step) + 1;
    } else if (event.kind === 'phase') {
      const away = event.phase === 'sampling' || event.phase === 'evaluating';
      if (away) this.#since ??= now;
      else if (this.#since !== null) {
        const took = (now - this.#since) / 1000;
        this.#since = null;
        if (this.#step === 0) this.#firstRow = took;
        else this.#laterRow = took;
      }
    }
  }

  /** Seconds to the end of the run; null before the first step. The last row is judged like the first one. */
  seconds(now: number): number | null {
    if (this.#training === null) return null;
    const between = this.#laterRow ?? this.#firstRow ?? 0;
    const last = this.#firstRow ?? between;
    const rows =
      this.#every > 0 ? Math.ceil(this.#total / this.#every) - 1 - Math.floor(this.#step / this.#every) : 0;
    const atRow = this.#since !== null && this.#step < this.#total;
    const here = this.#since === null ? 0 : (now - this.#since) / 1000;
    const rest =
      this.#step >= this.#total ? last : last + Math.max(0, rows) * between + (atRow ? between : 0);
    return Math.max(0, this.#training + rest - here);
  }
}
