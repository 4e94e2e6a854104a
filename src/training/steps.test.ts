/** @file Records in columns come out as they went in, and adding one copies none. */
import { expect, it, vi } from 'vitest';
import { recordsOf, StepLog } from './steps.ts';
import type { StepRecord } from './types.ts';

const record = (step: number, more: Partial<StepRecord> = {}): StepRecord => ({
  ...{ step, loss: 1 / (step + 1), learningRate: 1e-3 * step, gradNorm: 0.1 + step, ms: Math.PI * step },
  ...more,
});
const odd = [
  record(0),
  record(3, { loss: NaN, gradNorm: Infinity, skipped: true }),
  record(4, { residual: 0 }),
  record(7, { residual: NaN, skipped: true }),
  record(8, { loss: -0, residual: -Infinity }),
];

it('gives back what went in, by copies and clones, too', () => {
  const log = StepLog.of(odd);
  expect([...log]).toStrictEqual(odd);
  expect([log.length, log.skipped, log.at(-1), log.at(1)]).toEqual([5, 2, odd[4], odd[1]]);
  expect([log.at(5), log.at(-6), new StepLog().at(-1)]).toEqual([undefined, undefined, undefined]);
  expect([...log.before(4)]).toStrictEqual(odd.slice(0, 2));
  expect([...log.before(99)]).toStrictEqual(odd);
  const columns = structuredClone(log.columns());
  expect(recordsOf(columns)).toStrictEqual(odd);
  const again = new StepLog(columns);
  again.push(record(9, { skipped: true }));
  expect([again.length, again.skipped, log.length, columns.step.length]).toEqual([6, 3, 5, 5]);
});

it('copies each number twice at most, however many come', () => {
  let copied = 0;
  const set = vi.spyOn(Float64Array.prototype, 'set').mockImplementation(function (
    this: Float64Array,
    from: ArrayLike<number>,
  ) {
    copied += from.length;
    for (let i = 0; i < from.length; i++) this[i] = from[i]!;
  });
  const log = new StepLog();
  try {
    for (let step = 0; step < 5000; step++) log.push(record(step));
  } finally {
    set.mockRestore();
  }
  expect(copied).toBeGreaterThan(0);
  expect(copied).toBeLessThan(2 * 7 * 5000);
  expect(log.at(4999)).toEqual(record(4999));
});
