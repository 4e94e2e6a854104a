/** @file However many checkpoints a run writes, the newest two stay, and a few earlier ones evenly apart. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import type { Kept } from './runRecords.ts';
import { EARLIER, NEWEST, spaced } from './spacing.ts';

const kept = (step: number | null, bytes = 1): Kept => ({
  serial: step ?? 0,
  bytes,
  mark: step === null ? null : { step, savedAt: step },
});
const stepsOf = (all: readonly Kept[]) => all.map(({ mark }) => mark?.step);

it('keeps earlier ones evenly apart, whenever one looks', () => {
  let all: Kept[] = [];
  for (let n = 1; n <= 300; n++) {
    all = spaced([...all, kept(10 * n)]);
    const steps = [0, ...all.map(({ mark }) => mark!.step)];
    expect(steps.slice(-2)).toEqual(n > 1 ? [10 * (n - 1), 10 * n] : [0, 10]);
    expect(all.length).toBe(Math.min(n, NEWEST + EARLIER));
    const widest = Math.max(...steps.slice(1).map((step, i) => step - steps[i]!));
    // Five even parts would be a fifth each.
    if (n > 12) expect(widest / (10 * n)).toBeLessThan(0.45);
  }
});

it('keeps the newest two whatever they take, and no earlier one beyond the room', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(40)), { maxLength: 20 }), fc.nat(100), (made, room) => {
      let [all, step]: [Kept[], number] = [[], 0];
      for (const [further, bytes] of made) {
        step += further;
        const before = [...all, kept(step, bytes)];
        all = spaced(before, room);
        expect(all.slice(-NEWEST)).toEqual(before.slice(-NEWEST));
        expect(all.length).toBeLessThanOrEqual(NEWEST + EARLIER);
        if (all.length > NEWEST) expect(all.reduce((n, { bytes: b }) => n + b, 0)).toBeLessThanOrEqual(room);
      }
    }),
    { numRuns: depth(200, 2000) },
  );
});

it('lets go first of those whose step nobody wrote down', () => {
  const all = [kept(null), kept(1), kept(2), kept(3), kept(4), kept(5), kept(6)];
  expect(stepsOf(spaced(all))).toEqual([1, 2, 3, 4, 5, 6]);
});
