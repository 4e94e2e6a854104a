/** @file Labels under a chart begin at 0, end at the last step and never touch, whatever the width. */
import { expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { count } from '../words/format.ts';
import { APART, labelWidth, stepTicks } from './ticks.ts';

const TOTALS = [
  3, 4, 7, 10, 17, 50, 99, 100, 101, 120, 333, 600, 999, 1000, 1024, 5000, 12_345, 99_999, 100_000,
];

it('ends at the last step', () => {
  expect(stepTicks(120, 230)).toEqual([0, 20, 40, 60, 80, 100, 120]);
  // 110 would touch 120.
  expect(stepTicks(115, 230)).toEqual([0, 20, 40, 60, 80, 115]);
  expect(stepTicks(120, 700)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
  expect(stepTicks(3, 300)).toEqual([0, 1, 2, 3]);
  expect(stepTicks(100_000, 260)).toEqual([0, 50_000, 100_000]);
});

it('names first and last, leaves labels apart, and leaves no gap that would hold three more', () => {
  for (const total of TOTALS)
    for (let width = 240; width <= 1400; width += depth(79, 13)) {
      const ticks = stepTicks(total, width);
      expect([ticks[0], ticks.at(-1)]).toEqual([0, total]);
      const pixels = width / total;
      const room = labelWidth(count(total)) + APART;
      for (const [i, tick] of ticks.entries()) {
        const next = ticks[i + 1];
        if (next === undefined) break;
        const between = (next - tick) * pixels - (labelWidth(count(tick)) + labelWidth(count(next))) / 2;
        expect(between).toBeGreaterThanOrEqual(APART);
        if (next - tick > 1) expect((next - tick) * pixels).toBeLessThan(5 * room);
      }
    }
});

it('names the last step alone where there is no room for two', () => {
  expect(stepTicks(100_000, 50)).toEqual([100_000]);
});
