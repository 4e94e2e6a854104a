/** @file Rows on the way keep to their share of the time, but for the first few. */
import { expect, it } from 'vitest';
import { ALWAYS, hasTime } from './rowTime.ts';

it('draws the first rows whatever they take', () => {
  for (let rows = 0; rows < ALWAYS; rows++)
    expect(hasTime({ rows, sampling: 1000 * rows, all: 1000 * rows }, 0.25)).toBe(true);
});

it('draws those that leave all rows within their share', () => {
  expect(hasTime({ rows: 10, sampling: 20, all: 86 }, 0.25)).toBe(true);
  expect(hasTime({ rows: 10, sampling: 20, all: 85.9 }, 0.25)).toBe(false);
  expect(hasTime({ rows: 10, sampling: 20, all: 20 }, 1)).toBe(true);
});

it.each([0.05, 0.25, 0.6])('comes to a share of %d over a long run, however dear a row is', (share) => {
  for (const dear of [0.1, 3, 50]) {
    let [rows, sampling, all] = [0, 0, 0];
    for (let step = 0; step < 20_000; step++) {
      all += 1;
      if (step % 20 !== 0 || !hasTime({ rows, sampling, all }, share)) continue;
      rows++;
      sampling += dear;
      all += dear;
    }
    expect(rows).toBeGreaterThanOrEqual(ALWAYS);
    expect(sampling / all).toBeLessThanOrEqual(share);
    // Every row is drawn, or as many as there is time for.
    if (rows < 1000) expect(sampling / all).toBeGreaterThan(share - (2 * dear) / all);
  }
});
