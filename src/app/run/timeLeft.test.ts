/** @file Time left counts the rows of samples to come. */
import { expect, it } from 'vitest';
import type { RunEvent } from '#workers/protocol.ts';
import { TimeLeft } from './timeLeft.ts';

const phase = (name: 'sampling' | 'evaluating' | 'training'): RunEvent => ({ kind: 'phase', phase: name });
const steps = (made: number, secondsLeft: number): RunEvent => ({
  kind: 'steps',
  records: [{ step: made - 1, loss: 0, learningRate: 0, gradNorm: 0, ms: 0 }],
  secondsLeft,
});

it('adds the rows to come, the last one as long as the first', () => {
  const left = new TimeLeft(100, 25, 0);
  left.note(phase('sampling'), 0);
  left.note(phase('evaluating'), 6000);
  expect(left.seconds(7000)).toBeNull();
  left.note(phase('training'), 10_000);
  // 99 s of steps, rows at 25, 50, 75 and the end: 10 s each as far as is known.
  left.note(steps(1, 99), 11_000);
  expect(left.seconds(11_000)).toBe(99 + 4 * 10);
  left.note(steps(25, 75), 35_000);
  left.note(phase('sampling'), 35_000);
  expect(left.seconds(37_000)).toBe(75 + 4 * 10 - 2);
  left.note(phase('training'), 39_000);
  // The row in between took 4 s: two more like it, and the last one.
  left.note(steps(26, 74), 40_000);
  expect(left.seconds(40_000)).toBe(74 + 2 * 4 + 10);
  left.note(steps(100, 0), 120_000);
  left.note(phase('sampling'), 120_000);
  expect(left.seconds(123_000)).toBe(7);
  expect(left.seconds(150_000)).toBe(0);
});

it('knows of no rows in between where there are none', () => {
  const left = new TimeLeft(10, 0, 4);
  left.note(steps(5, 5), 0);
  expect(left.seconds(0)).toBe(5);
});
