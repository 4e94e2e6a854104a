/** @file Smoothing of a noisy loss, and its summary in words for those who cannot see the chart. */
import { figure } from './format.ts';

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
}

/** One or two sentences: where the loss started, where it is, and the same for held-out data. */
export function describeLoss({ steps, smoothed, heldout }: LossSeries): string {
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
  return parts.join(' ');
}
