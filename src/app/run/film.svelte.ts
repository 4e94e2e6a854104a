/** @file The wall as a film: one row of samples after another, by hand or by itself. */
import type { RunState, SampleRow } from './run.svelte.ts';

/** Milliseconds that a row is shown. */
const SHOWN = 600;

export class Film {
  readonly #run: Pick<RunState, 'told'>;
  /** By step, so that rows that come meanwhile move nothing; null: the newest. */
  #step = $state<number | null>(null);
  #timer = $state<ReturnType<typeof setInterval> | null>(null);

  /** Of the row that is shown. */
  readonly at = $derived.by(() => {
    const { told: rows } = this.#run;
    if (this.#step === null) return Math.max(0, rows.length - 1);
    // A row that is there no more gives way to the one before it.
    return Math.max(
      0,
      rows.findLastIndex(({ step }) => step <= this.#step!),
    );
  });

  constructor(run: Pick<RunState, 'told'>) {
    this.#run = run;
  }

  /** null: nothing was sampled yet. */
  get row(): SampleRow | null {
    return this.#run.told[this.at] ?? null;
  }
  get length(): number {
    return this.#run.told.length;
  }
  get playing(): boolean {
    return this.#timer !== null;
  }

  /** Shows a row; the last one stays the newest as others come. */
  seek(at: number): void {
    const last = this.length - 1;
    const place = Math.max(0, Math.min(last, at));
    this.#step = place === last ? null : (this.#run.told[place]?.step ?? null);
  }

  /** From the row that is shown to the last, from the first one if that is the last. */
  play(): void {
    if (this.playing || this.length < 2) return;
    if (this.at >= this.length - 1) this.seek(0);
    this.#timer = setInterval(() => {
      this.seek(this.at + 1);
      if (this.at >= this.length - 1) this.pause();
    }, SHOWN);
  }

  pause(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
