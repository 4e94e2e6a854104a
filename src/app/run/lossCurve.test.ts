/** @file The curve of a long run: smoothed and drawn as a short one's, by work that does not grow with what is there already. */
import { expect, it, vi } from 'vitest';
import { StepLog } from '#src/training/steps.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { LossCurve } from './lossCurve.ts';
import { halfLifeOf, Smoother } from './series.ts';

const record = (step: number, loss: number) => ({ step, loss, learningRate: 1, gradNorm: 1, ms: 1 });
/** Noisy, now and then not finite. */
const lossAt = (step: number): number => {
  if (step % 701 === 700) return NaN;
  return Math.exp(-step / 3000) + 0.2 * Math.sin(step * 12.9898) + 0.2 * Math.sin(step * 78.233);
};

/** A curve that takes records in by tens, as they come from the worker. */
function grown(length: number): LossCurve {
  const curve = new LossCurve(new StepLog());
  for (let step = 0; step < length; step++) {
    curve.log.push(record(step, lossAt(step)));
    if (step % 10 === 9) curve.extend();
  }
  curve.extend();
  return curve;
}

const exact = (length: number, halfLife: number): number[] => {
  const smoother = new Smoother(halfLife);
  return Array.from({ length }, (_, step) => smoother.add(lossAt(step)));
};

it('has every record of a short run, smoothed for its length', () => {
  const rows = grown(300).rows();
  expect(rows.steps).toEqual(Array.from({ length: 300 }, (_, step) => step));
  expect(rows.raw).toEqual(rows.steps.map(lossAt));
  expect(rows.smoothed).toEqual(exact(300, halfLifeOf(300)));
});

it('is open where nothing was finite, and empty before the first record', () => {
  const curve = new LossCurve(StepLog.of([record(0, NaN), record(1, 2), record(2, Infinity), record(3, 1)]));
  expect(curve.rows()).toEqual({ steps: [], raw: [], smoothed: [] });
  curve.extend();
  expect(curve.rows()).toMatchObject({ steps: [0, 1, 2, 3], raw: [null, 2, null, 1] });
  expect(curve.rows().smoothed[0]).toBeNull();
});

const LONG = depth(20_000, 200_000);

it('of a long run has few rows, in order, between which no loss lies outside what is drawn', () => {
  const curve = grown(LONG);
  const { steps, raw } = curve.rows();
  expect(steps.length).toBeLessThanOrEqual(2 * 2048 + 2);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  expect([steps[0], steps.at(-1)]).toEqual([0, LONG - 1]);
  expect(raw).toEqual(steps.map((step) => (Number.isFinite(lossAt(step)) ? lossAt(step) : null)));
  // A tenth of a pixel of a chart a thousand wide at most: as many steps show the same lowest and highest.
  const width = LONG / 500;
  for (let from = 0; from + width <= LONG; from += width) {
    const within = (step: number): boolean => step >= from - width / 4 && step < from + width * 1.25;
    const drawn = raw.filter((loss, i): loss is number => loss !== null && within(steps[i]!));
    const own = Array.from({ length: width }, (_, i) => lossAt(from + i)).filter(Number.isFinite);
    expect(Math.min(...drawn)).toBeLessThanOrEqual(Math.min(...own));
    expect(Math.max(...drawn)).toBeGreaterThanOrEqual(Math.max(...own));
  }
});

it('is smoothed nearly as for its length while it grows, and exactly so once it is settled', () => {
  const curve = grown(LONG);
  const wanted = exact(LONG, halfLifeOf(LONG));
  expect(Math.abs(curve.smoothed.at(-1)! - wanted.at(-1)!)).toBeLessThan(0.01);
  curve.extend(true);
  expect([...curve.smoothed]).toEqual(wanted);
});

it('smooths each record so many times at most, however many there are', () => {
  const add = vi.spyOn(Smoother.prototype, 'add');
  grown(2000);
  const few = add.mock.calls.length;
  add.mockClear();
  grown(6000);
  const many = add.mock.calls.length;
  add.mockRestore();
  expect(many / 6000).toBeLessThan(25);
  expect(few / 2000).toBeLessThan(25);
});
