/** @file Smoothing of a noisy loss, and its summary in words for those who cannot see the chart. */
import type { Evaluation, Metric } from '#workers/protocol.ts';
import { figure, percent } from '../words/format.ts';

/**
 * Exponential moving average with bias correction (as Adam's), so that the first values are not pulled to zero.
 * Half of a value's weight is gone after `halfLife` steps. Values that are not finite are passed over.
 */
export function smooth(values: readonly number[], halfLife = Math.max(2, values.length / 16)): number[] {
  const decay = 0.5 ** (1 / halfLife);
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (Number.isFinite(value)) {
      sum = decay * sum + (1 - decay) * value;
      weight = decay * weight + (1 - decay);
    }
    return weight > 0 ? sum / weight : Number.NaN;
  });
}

export interface LossSeries {
  readonly steps: readonly number[];
  readonly smoothed: readonly number[];
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
  if (steps.length === 0 || last === undefined) return 'No loss yet.';
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
