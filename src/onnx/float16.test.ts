import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bfloatToNumber,
  halfToNumber,
  halvesToNumbers,
  numbersToHalves,
  numberToBfloat,
  numberToHalf,
} from './float16.ts';

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

describe('binary16 by the array', () => {
  it('reads every pattern as one by one', () => {
    const values = halvesToNumbers(Uint16Array.from({ length: 65536 }, (_, i) => i));
    expect(values.every((x, i) => Object.is(x, halfToNumber(i)))).toBe(true);
  });

  it('writes every half, every middle of two, and their neighbours as one by one', () => {
    const values = new Float32Array(65536 * 6);
    const words = new Uint32Array(values.buffer);
    for (let half = 0; half < 65536; half++) {
      const middle = (halfToNumber(half) + halfToNumber(half + 1)) / 2;
      [halfToNumber(half), middle].forEach((x, k) => {
        const at = 6 * half + 3 * k;
        values.fill(x, at, at + 3);
        words[at]!--;
        words[at + 2]!++;
      });
    }
    const patterns = numbersToHalves(values);
    expect(values.findIndex((x, i) => numberToHalf(x) !== patterns[i])).toBe(-1);
  });

  it('writes any float32 as one by one', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 50 }), (values) => {
        expect(numbersToHalves(values)).toEqual(Uint16Array.from(values, numberToHalf));
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
