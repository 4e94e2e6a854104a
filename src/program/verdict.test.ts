/** @file Verdicts and reliefs: in numbers that add up. */
import { describe, expect, it } from 'vitest';
import type { MemoryEstimate } from './memory.ts';
import { memoryVerdict, type OfferedMemory, OVERHEAD, reliefs } from './verdict.ts';

const estimate = (activations: number, weights = 1e8): MemoryEstimate => ({
  weights,
  state: 0,
  activations,
  total: weights + activations,
});
const offered: OfferedMemory = { bytes: 1e9, largest: 2e8, source: 'a test' };

describe('memoryVerdict', () => {
  it.each([
    [1e8, 'fits'],
    [5e8, 'tight'],
    [9e8, 'will-not-fit'],
  ] as const)('%d bytes of results: %s', (activations, kind) => {
    const verdict = memoryVerdict(estimate(activations), offered);
    expect(verdict.kind).toBe(kind);
    expect(verdict.needed).toBe(Math.round((1e8 + activations) * OVERHEAD));
    expect(verdict.words).toContain('1.0 GB (a test)');
  });

  it('names a tensor that is too large by itself', () => {
    const verdict = memoryVerdict(estimate(1), offered, { name: 'embedding.weight', bytes: 3e8 });
    expect(verdict).toMatchObject({ kind: 'will-not-fit' });
    expect(verdict.words).toMatch(/embedding\.weight alone takes 300 MB.*200 MB/);
  });

  it('says so where nothing is known', () => {
    expect(memoryVerdict(estimate(1e12), { ...offered, bytes: null }).kind).toBe('unknown');
  });
});

describe('reliefs', () => {
  const options = {
    batch: 8,
    accumulate: 1,
    recompute: false,
    length: { key: 'maxLength', value: 128 },
    recomputed: () => estimate(1e9),
    rounded: [],
  };

  it('go from the mildest on, add up, and stop at what fits', () => {
    const found = reliefs(estimate(4e9), offered, options);
    expect(found.map((r) => r.kind)).toEqual(['will-not-fit', 'tight', 'fits']);
    expect(found.at(-1)?.change).toEqual({ recompute: true, batch: 2, accumulate: 4 });
    expect(found.every((r, i) => i === 0 || r.needed < found[i - 1]!.needed)).toBe(true);
  });

  it('keep the examples of a step, so that its update is the same', () => {
    for (const batch of [2, 3, 5, 7, 12, 31])
      for (const { change } of reliefs(estimate(4e10), offered, { ...options, batch, accumulate: 3 })) {
        if (change.batch === undefined) continue;
        expect(change.batch).toBeLessThan(batch);
        expect(change.batch * change.accumulate!).toBe(batch * 3);
      }
  });

  it('shorten sequences last, and not without end', () => {
    const found = reliefs(estimate(4e12), offered, { ...options, recomputed: () => estimate(2e12) });
    expect(found.at(-1)).toMatchObject({ kind: 'will-not-fit', change: { options: { maxLength: 16 } } });
  });

  it('round weights where these are what does not fit', () => {
    const rounded = [
      { quantise: 'int8', saved: 7e8 },
      { quantise: 'int4', saved: 8e8 },
    ] as const;
    const large = { ...options, batch: 1, recompute: true, rounded };
    const found = reliefs(estimate(1e8, 1e9), offered, large);
    expect(found.map(({ change, kind }) => [change, kind])).toEqual([[{ quantise: 'int8' }, 'fits']]);
    expect(found[0]!.needed).toBe(Math.round(4e8 * OVERHEAD));
    const tight = reliefs(estimate(4e8, 1e9), offered, large);
    expect(tight.map(({ change }) => change.quantise)).toEqual(['int8', 'int4', 'int4']);
    expect(tight[1]!.needed).toBe(Math.round(6e8 * OVERHEAD));
    // Weights that take next to nothing are left.
    expect(reliefs(estimate(9e12, 1e9), offered, large).some(({ change }) => change.quantise)).toBe(false);
  });

  it('leave recomputation out where it saves nothing', () => {
    const found = reliefs(estimate(2e9), offered, { ...options, recomputed: () => estimate(2e9) });
    expect(found.every((r) => r.change.recompute === undefined)).toBe(true);
  });
});
