import { describe, expect, it } from 'vitest';
import { learningRateAt, type ScheduleOptions } from './schedule.ts';

const base: ScheduleOptions = { kind: 'cosine', steps: 120, warmup: 20, learningRate: 5e-3, finalShare: 0.1 };
const rates = (options: Partial<ScheduleOptions>) =>
  Array.from({ length: options.steps ?? base.steps }, (_, k) => learningRateAt({ ...base, ...options }, k));

describe('learningRateAt', () => {
  it('rises linearly to the full rate in the warm-up steps', () => {
    const r = rates({});
    expect(r[0]).toBeCloseTo(5e-3 / 20, 12);
    expect(r[9]).toBeCloseTo(2.5e-3, 12);
    expect(r[19]).toBe(5e-3);
    expect(r[20]).toBe(5e-3);
  });

  it('falls along half a cosine towards the final share', () => {
    const r = rates({});
    expect(r[70]).toBeCloseTo(5e-3 * 0.55, 12);
    expect(learningRateAt(base, 120)).toBeCloseTo(5e-4, 12);
    expect(r.slice(20).every((x, i, all) => i === 0 || x < all[i - 1]!)).toBe(true);
  });

  it('falls along a line, or stays', () => {
    expect(rates({ kind: 'linear' })[70]).toBeCloseTo(5e-3 * 0.55, 12);
    expect(rates({ kind: 'linear' })[45]).toBeCloseTo(5e-3 * 0.775, 12);
    expect(new Set(rates({ kind: 'constant' }).slice(19))).toEqual(new Set([5e-3]));
  });

  it('is finite without warm-up, with nothing but warm-up, and past the end', () => {
    expect(rates({ warmup: 0 })[0]).toBe(5e-3);
    expect(rates({ warmup: 120 })[119]).toBe(5e-3);
    expect(rates({ steps: 1, warmup: 0 })).toEqual([5e-3]);
    expect(learningRateAt(base, 500)).toBeCloseTo(5e-4, 12);
  });
});
