import { describe, expect, it } from 'vitest';
import { philox, random } from './random.ts';

const mean = (x: ArrayLike<number>) => Array.from(x).reduce((s, v) => s + v, 0) / x.length;

describe('Philox4x32-10', () => {
  // The published known-answer vectors of the Random123 library (kat_vectors).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as [[number, number, number, number], [number, number], number[]][])(
    'maps %j under %j',
    (counter, key, expected) => {
      expect(philox(counter, key)).toEqual(expected);
    },
  );
});

describe('random', () => {
  it('gives a step the same numbers whatever was drawn before', () => {
    const alone = random(7, 'noise', 12).normal(9);
    const later = [10, 11, 12].map((step) => random(7, 'noise', step).normal(9))[2];
    expect(later).toEqual(alone);
  });

  it('tells seeds, streams and steps apart, beyond 32 bits too', () => {
    const draws = [
      random(1, 'a', 0),
      random(2, 'a', 0),
      random(1 + 2 ** 32, 'a', 0),
      random(1, 'b', 0),
      random(1, 'a', 1),
      random(1, 'a', 2 ** 32),
    ].map((r) => r.uniform(4).join());
    expect(new Set(draws).size).toBe(draws.length);
  });

  it('continues in later calls', () => {
    const r = random(3, 's', 0);
    const parts = [...r.uniform(3), ...r.uniform(4)];
    expect(parts).toEqual([...random(3, 's', 0).uniform(7)]);
  });

  it('draws normal numbers of mean 0, variance 1 and kurtosis 3', () => {
    const n = 200_000;
    const x = random(0, 'normal', 0).normal(n);
    // Four standard errors: 1/√n, √(2/n), √(96/n).
    expect(Math.abs(mean(x))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(mean(x.map((v) => v * v)) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(mean(x.map((v) => v ** 4)) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    let lag = 0;
    for (let i = 1; i < n; i++) lag += x[i]! * x[i - 1]!;
    expect(Math.abs(lag / n)).toBeLessThan(4 / Math.sqrt(n));
  });

  it('draws uniform numbers and whole numbers evenly', () => {
    const u = random(0, 'u', 0).uniform(100_000);
    expect(Math.abs(mean(u) - 0.5)).toBeLessThan(4 / Math.sqrt(12 * u.length));
    expect(Math.min(...u.slice(0, 1000))).toBeGreaterThan(0);
    const counts = new Array<number>(7).fill(0);
    for (const i of random(0, 'i', 0).integers(70_000, 7)) counts[i]!++;
    const chiSquare = counts.reduce((s, c) => s + (c - 10_000) ** 2 / 10_000, 0);
    expect(chiSquare).toBeLessThan(22.46); // 99.9 % quantile, 6 degrees of freedom
    expect(random(0, 'i', 1).integers(2, 2 ** 32)).toHaveLength(2);
  });

  it('permutes', () => {
    const p = random(5, 'order', 0).permutation(58);
    expect([...p].sort((a, b) => a - b)).toEqual(Array.from({ length: 58 }, (_, i) => i));
    expect([...p]).not.toEqual([...random(5, 'order', 1).permutation(58)]);
    // Every place is equally likely for element 0.
    const places = new Array<number>(4).fill(0);
    for (let k = 0; k < 8000; k++) places[random(9, 'p', k).permutation(4).indexOf(0)]!++;
    expect(places.reduce((s, c) => s + (c - 2000) ** 2 / 2000, 0)).toBeLessThan(16.27); // 99.9 %, 3 degrees
  });

  it('refuses seeds and bounds that are not whole numbers in range', () => {
    expect(() => random(-1, 's', 0)).toThrow(/seed/);
    expect(() => random(0, 's', 0.5)).toThrow(/step/);
    expect(() => random(0, 's', 0).integers(1, 0)).toThrow(/max/);
  });
});
