/** @file Changes of the learning rate: which factor holds when, and what is taken from storage. */
import { expect, it } from 'vitest';
import * as v from 'valibot';
import { factorAt, ratesSchema, withChange } from './rates.ts';

const changes = [
  { step: 3, factor: 0.1 },
  { step: 7, factor: 1 },
];

it('holds from its step on until the next one', () => {
  expect([0, 2, 3, 6, 7, 100].map((k) => factorAt(changes, k))).toEqual([1, 1, 0.1, 0.1, 1, 1]);
  expect(factorAt([], 5)).toBe(1);
});

it('stands in for those from its step on', () => {
  expect(withChange(changes, { step: 7, factor: 2 })).toEqual([changes[0], { step: 7, factor: 2 }]);
  expect(withChange(changes, { step: 2, factor: 2 })).toEqual([{ step: 2, factor: 2 }]);
});

it('is read from storage in order, and as numbers that a rate can be multiplied by', () => {
  expect(v.parse(ratesSchema, changes)).toEqual(changes);
  for (const bad of [
    [changes[1], changes[0]],
    [{ step: 1, factor: 0 }],
    [{ step: 1, factor: NaN }],
    [{ step: 0.5, factor: 1 }],
    'x',
  ])
    expect(v.safeParse(ratesSchema, bad).success).toBe(false);
});
