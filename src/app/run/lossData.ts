/** @file The columns of the loss chart: a row for each step that is drawn of the curve, or that anything else is known of. */
import type { CurvePoint } from './compared.svelte.ts';
import type { CurveRows } from './lossCurve.ts';
import type { MeasureSeries } from './series.ts';

type Column = (number | null)[];
/** Steps, raw loss, smoothed loss, held-out loss, held-out measure, another run's loss. */
export type LossData = [number[], Column, Column, Column, Column, Column];

export interface Known {
  readonly curve: CurveRows;
  readonly heldout: readonly CurvePoint[];
  readonly measure: MeasureSeries | null;
  readonly other: readonly CurvePoint[];
}

export function lossData({ curve, heldout, measure, other }: Known): LossData {
  const judged = measure?.points ?? [];
  // At whole steps, where this run has rows of its own: a row between two would break its lines.
  const others = other.map(({ step, loss }) => ({ step: Math.round(step), loss }));
  const beside = [...heldout, ...judged, ...others].map(({ step }) => step);
  const steps = [...new Set([...curve.steps, ...beside])].sort((a, b) => a - b);
  const place = new Map(steps.map((step, i) => [step, i]));
  const column = (points: Iterable<readonly [step: number, value: number | null | undefined]>): Column => {
    const all: Column = Array.from(steps, () => null);
    for (const [step, value] of points) all[place.get(step)!] = value ?? null;
    return all;
  };
  return [
    steps,
    column(curve.steps.map((step, i) => [step, curve.raw[i]])),
    column(curve.steps.map((step, i) => [step, curve.smoothed[i]])),
    column(heldout.map(({ step, loss }) => [step, loss])),
    column(judged.map(({ step, value }) => [step, value])),
    column(others.map(({ step, loss }) => [step, loss])),
  ];
}

/** The last row that tells of this run, not of the other one alone; -1: there is none. */
export const newestRow = ([steps, ...columns]: LossData): number =>
  steps.findLastIndex((_, i) => columns.slice(0, 4).some((column) => column[i] != null));
