import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from './float16.ts';

describe('binary16', () => {
  it('gives back every pattern', () => {
    for (let half = 0; half < 65536; half++) {
      const x = halfToNumber(half);
      if (Number.isNaN(x)) expect(Number.isNaN(halfToNumber(numberToHalf(x)))).toBe(true);
      else if (numberToHalf(x) !== half) throw new Error(`${half} → ${x} → ${numberToHalf(x)}`);
    }
  });

  it('rounds to the nearest, ties to even', () => {
    expect(halfToNumber(numberToHalf(1 + 2 ** -11))).toBe(1);
    expect(halfToNumber(numberToHalf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(halfToNumber(numberToHalf(65519))).toBe(65504);
    expect(halfToNumber(numberToHalf(65520))).toBe(Infinity);
    expect(halfToNumber(numberToHalf(2 ** -25))).toBe(0);
    expect(halfToNumber(numberToHalf(2 ** -25 * 1.001))).toBe(2 ** -24);
    expect(Object.is(halfToNumber(numberToHalf(-0)), -0)).toBe(true);
  });

  it('is within half a step of any number in its range', () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (x) => {
        const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x) || 1e-9)), -14) - 10);
        return Math.abs(halfToNumber(numberToHalf(x)) - x) <= step / 2;
      }),
    );
  });
});

it('bfloat16 gives back every pattern and rounds ties to even', () => {
  for (let b = 0; b < 65536; b++) {
    const x = bfloatToNumber(b);
    if (!Number.isNaN(x) && numberToBfloat(x) !== b) throw new Error(`${b} → ${x}`);
  }
  expect(bfloatToNumber(numberToBfloat(1 + 2 ** -8))).toBe(1);
  expect(bfloatToNumber(numberToBfloat(1 + 3 * 2 ** -8))).toBe(1 + 2 ** -6);
});
