/** @file The columns of the loss chart: a row for each step that anything is known of. */
import type { StepRecord } from '#workers/protocol.ts';
import type { CurvePoint } from './compared.svelte.ts';
import type { MeasureSeries } from './series.ts';

type Column = (number | null)[];
/** Steps, raw loss, smoothed loss, held-out loss, held-out measure, another run's loss. */
export type LossData = [number[], Column, Column, Column, Column, Column];

export interface Known {
  readonly records: readonly Pick<StepRecord, 'step' | 'loss'>[];
  /** A value for each record. */
  readonly smoothed: readonly number[];
  readonly heldout: readonly CurvePoint[];
  readonly measure: MeasureSeries | null;
  readonly other: readonly CurvePoint[];
}

export function lossData({ records, smoothed, heldout, measure, other }: Known): LossData {
  const rows = new Map<number, (number | null)[]>();
  const put = (step: number, column: number, value: number | null | undefined): void => {
    const row = rows.get(step) ?? [null, null, null, null, null];
    row[column] = value ?? null;
    rows.set(step, row);
  };
  records.forEach(({ step, loss }, i) => {
    put(step, 0, Number.isFinite(loss) ? loss : null);
    put(step, 1, smoothed[i]);
  });
  for (const { step, loss } of heldout) put(step, 2, loss);
  for (const { step, value } of measure?.points ?? []) put(step, 3, value);
  // At whole steps, where this run has rows of its own: a row between two would break its lines.
  for (const { step, loss } of other) put(Math.round(step), 4, loss);
  const steps = [...rows.keys()].sort((a, b) => a - b);
  const column = (i: number): Column => steps.map((step) => rows.get(step)?.[i] ?? null);
  return [steps, column(0), column(1), column(2), column(3), column(4)];
}

/** The last row that tells of this run, not of the other one alone; -1: there is none. */
export const newestRow = ([steps, ...columns]: LossData): number =>
  steps.findLastIndex((_, i) => columns.slice(0, 4).some((column) => column[i] != null));
