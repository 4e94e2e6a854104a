/** @file Long work lets other tasks run, and ends where it is told to. */
import { expect, it } from 'vitest';
import { Breath } from './breath.ts';

/** A clock by which each look at it takes so long, milliseconds. */
const clock = (step: number): (() => number) => {
  let now = 0;
  return () => (now += step);
};

it('is due after a while of work, and not again at once', async () => {
  const breath = new Breath(undefined, clock(10));
  let pieces = 0;
  for (; !breath.due; pieces++);
  expect(pieces).toBeGreaterThan(5);
  expect(pieces).toBeLessThan(20);
  await breath.take();
  expect(breath.due).toBe(false);
});

it('lets a message through that came while the work went on', async () => {
  let heard = false;
  setTimeout(() => (heard = true));
  const breath = new Breath();
  await expect
    .poll(async () => {
      await breath.take();
      return heard;
    })
    .toBe(true);
});

it('ends the work by what its listener throws', async () => {
  const cancelled = new Error('cancelled');
  const breath = new Breath(() => {
    throw cancelled;
  });
  await expect(breath.take()).rejects.toBe(cancelled);
});
