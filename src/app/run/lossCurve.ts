/** @file The loss over a run as it is drawn: smoothed as records come, and no more rows than a chart has pixels, however long the run. */
import { Growing } from '#src/platform/growing.ts';
import type { StepLog } from '#src/training/steps.ts';
import { halfLifeOf, Smoother } from './series.ts';

/** Stretches of steps, each of which is drawn by its lowest and its highest loss: more than a chart has pixels, with those of sharp screens. */
const MOST = 2048;
/** Up to so many records, the whole line is smoothed anew with each. */
const FEW = 512;
/** Beyond, whenever there are more by this share: each record is smoothed some twenty times in all. */
const MORE = 1.05;

/** Rows by step; a loss that is not finite is null. */
export interface CurveRows {
  readonly steps: readonly number[];
  readonly raw: readonly (number | null)[];
  readonly smoothed: readonly (number | null)[];
}

export class LossCurve {
  readonly log: StepLog;
  #smoothed = new Growing();
  #smoother = new Smoother(1);
  /** Records that the half-life was chosen for. */
  #fitted = 0;
  /** Records of a stretch, a power of two, and for each stretch where its lowest and highest losses lie; -1: it has none. */
  #width = 1;
  #low: number[] = [];
  #high: number[] = [];
  #drawn = 0;

  constructor(log: StepLog) {
    this.log = log;
  }

  /** A value for each record that was taken in. */
  get smoothed(): Float64Array {
    return this.#smoothed.view();
  }

  /** Takes in what the log has beyond what was taken in before. @param settled no more are to come: the line is smoothed for this length exactly */
  extend(settled = false): void {
    const losses = this.log.column('loss');
    const { length } = losses;
    const stale = settled || length <= FEW ? length !== this.#fitted : length > MORE * this.#fitted;
    if (stale) {
      this.#fitted = length;
      this.#smoothed = new Growing();
      this.#smoother = new Smoother(halfLifeOf(length));
    }
    for (let i = this.#smoothed.length; i < length; i++) this.#smoothed.push(this.#smoother.add(losses[i]!));
    for (; this.#drawn < length; this.#drawn++) this.#draw(losses, this.#drawn);
  }

  /** At most two rows of a stretch, and always the first record and the last. */
  rows(): CurveRows {
    const places = new Set<number>();
    const last = this.#drawn - 1;
    if (last >= 0) places.add(0);
    for (const [stretch, low] of this.#low.entries()) {
      const high = this.#high[stretch]!;
      // Nothing finite: one row leaves the line open.
      if (low < 0) places.add(stretch * this.#width);
      else places.add(Math.min(low, high)).add(Math.max(low, high));
    }
    if (last >= 0) places.add(last);
    const [steps, losses] = [this.log.column('step'), this.log.column('loss')];
    const ordered = [...places];
    const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
    return {
      steps: ordered.map((i) => steps[i]!),
      raw: ordered.map((i) => finite(losses[i]!)),
      smoothed: ordered.map((i) => finite(this.#smoothed.at(i))),
    };
  }

  #draw(losses: Float64Array, i: number): void {
    if (i >= MOST * this.#width) this.#widen(losses);
    const stretch = Math.floor(i / this.#width);
    const own = Number.isFinite(losses[i]) ? i : -1;
    this.#low[stretch] = lower(losses, this.#low[stretch] ?? -1, own);
    this.#high[stretch] = higher(losses, this.#high[stretch] ?? -1, own);
  }

  /** Two stretches become one. */
  #widen(losses: Float64Array): void {
    this.#width *= 2;
    const halved = (pick: typeof lower, all: readonly number[]): number[] =>
      Array.from({ length: Math.ceil(all.length / 2) }, (_, k) =>
        pick(losses, all[2 * k]!, all[2 * k + 1] ?? -1),
      );
    this.#low = halved(lower, this.#low);
    this.#high = halved(higher, this.#high);
  }
}

/** The place of the lower of two losses; a place below 0 is none. */
function lower(losses: Float64Array, a: number, b: number): number {
  if (a < 0 || b < 0) return Math.max(a, b);
  return losses[b]! < losses[a]! ? b : a;
}

function higher(losses: Float64Array, a: number, b: number): number {
  if (a < 0 || b < 0) return Math.max(a, b);
  return losses[b]! > losses[a]! ? b : a;
}
