/** @file Held-out data are judged on the way where that is cheap. */
import { expect, it } from 'vitest';
import { judgesAt } from './judging.ts';

const judged = (step: number) => ({ step, heldoutLoss: 1 });
const sampled = (step: number) => ({ step, heldoutLoss: null });

it('is judged at every row where few are held out', () => {
  expect(judgesAt(20, [judged(0)], 36, 16)).toBe(true);
  expect(judgesAt(40, [judged(0), judged(20)], 36, 16)).toBe(true);
});

it('leaves rows out where many are held out: rows of samples alone do not count', () => {
  expect(judgesAt(20, [judged(0)], 37, 8)).toBe(false);
  expect(judgesAt(40, [judged(0), sampled(20)], 37, 8)).toBe(true);
  expect(judgesAt(60, [judged(0), sampled(20), judged(40)], 37, 8)).toBe(false);
});

it('says the same when the row is made again', () => {
  expect(judgesAt(40, [judged(0), sampled(20), judged(40)], 37, 8)).toBe(true);
});

it('is not judged by nothing', () => {
  expect(judgesAt(20, [], 0, 8)).toBe(false);
});
