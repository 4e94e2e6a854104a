/** @file Smoothing of a noisy loss, and its summary in words for those who cannot see the chart. */
import type { Evaluation, Metric } from '#workers/protocol.ts';
import { figure, percent } from '../words/format.ts';

/** Of a line of so many values, in steps. */
export const halfLifeOf = (length: number): number => Math.max(2, length / 16);

/** Exponential moving average with bias correction (as Adam's), so that the first values are not pulled to zero. */
export class Smoother {
  readonly #decay: number;
  #sum = 0;
  #weight = 0;

  /** @param halfLife half of a value's weight is gone after so many steps */
  constructor(halfLife: number) {
    this.#decay = 0.5 ** (1 / halfLife);
  }

  /** The average with one more value; one that is not finite is passed over. NaN before the first finite one. */
  add(value: number): number {
    if (Number.isFinite(value)) {
      this.#sum = this.#decay * this.#sum + (1 - this.#decay) * value;
      this.#weight = this.#decay * this.#weight + (1 - this.#decay);
    }
    return this.#weight > 0 ? this.#sum / this.#weight : Number.NaN;
  }
}

export interface LossSeries {
  readonly steps: readonly number[];
  /** null where there was no finite loss yet. */
  readonly smoothed: readonly (number | null)[];
  readonly heldout: readonly { readonly step: number; readonly loss: number }[];
  readonly measure?: MeasureSeries | null;
}

/** A measure of held-out data at the steps that were judged. */
export interface MeasureSeries {
  readonly name: string;
  readonly unit: Metric['unit'];
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

/** The first measure that knows a better way, over the run; null: there is none. Others are of the samples, not of held-out data. */
export function measureOf(
  evaluations: readonly Pick<Evaluation, 'step' | 'metrics'>[],
): MeasureSeries | null {
  const first = evaluations.flatMap(({ metrics = [] }) => metrics).find(({ better }) => better !== 'neither');
  if (!first) return null;
  const points = evaluations.flatMap(({ step, metrics = [] }) =>
    metrics
      .filter(({ name, value }) => name === first.name && Number.isFinite(value))
      .map(({ value }) => ({ step, value })),
  );
  return { name: first.name, unit: first.unit, points };
}

/** A measure's value: a share in per cent. */
export const measureText = (unit: Metric['unit'], value: number): string =>
  unit === 'share' ? percent(value) : figure(value);

/** Up to three sentences: where the loss started, where it is, the same for held-out data, and for their measure. */
export function describeLoss({ steps, smoothed, heldout, measure }: LossSeries): string {
  const last = smoothed.at(-1);
  if (steps.length === 0 || last == null) return 'No loss yet.';
  const parts = [
    `Loss ${figure(smoothed[0] ?? last)} at step ${steps[0]}, ${figure(last)} at step ${steps.at(-1)} (smoothed).`,
  ];
  const first = heldout[0];
  const newest = heldout.at(-1);
  if (first && newest)
    parts.push(
      first === newest
        ? `Held-out loss ${figure(first.loss)} at step ${first.step}.`
        : `Held-out loss ${figure(first.loss)} at step ${first.step}, ${figure(newest.loss)} at step ${newest.step}.`,
    );
  const [from, to] = [measure?.points[0], measure?.points.at(-1)];
  if (measure && from && to)
    parts.push(
      `${measure.name} ${measureText(measure.unit, from.value)} at step ${from.step}${
        from === to ? '' : `, ${measureText(measure.unit, to.value)} at step ${to.step}`
      }.`,
    );
  return parts.join(' ');
}
