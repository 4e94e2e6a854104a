/** @file The rows of a long run: bounded, evenly apart, the first and the newest among them. */
import { expect, it } from 'vitest';
import { type SampleRow, withRow } from './rows.ts';

const row = (step: number, side = 0): SampleRow => ({
  step,
  prompts: ['fox'],
  pictures: [{ width: side, height: side, rgba: new Uint8ClampedArray(4 * side * side) }],
});
const after = (steps: readonly number[], side = 0): readonly SampleRow[] =>
  steps.reduce<readonly SampleRow[]>((rows, step) => withRow(rows, row(step, side)), []);

it('are in order, the later of two for the same step', () => {
  expect(after([0, 40, 20, 40]).map(({ step }) => step)).toEqual([0, 20, 40]);
});

it('stay few and spread over the run, however many come', () => {
  const rows = after(Array.from({ length: 3000 }, (_, i) => 20 * i));
  expect(rows).toHaveLength(200);
  expect([rows[0]!.step, rows.at(-1)!.step]).toEqual([0, 20 * 2999]);
  const gaps = rows.slice(1).map(({ step }, i) => step - rows[i]!.step);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(4 * (60_000 / 200));
});

it('take no more room than they may', () => {
  const rows = after(
    Array.from({ length: 40 }, (_, i) => i),
    1024,
  );
  expect(rows).toHaveLength(16);
  expect([rows[0]!.step, rows.at(-1)!.step]).toEqual([0, 39]);
  // One that is too large by itself is shown all the same.
  expect(after([0, 1, 2], 5000)).toHaveLength(2);
});
