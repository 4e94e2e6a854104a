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

it('goes over a list in its order, and stops in the middle where it is told to', async () => {
  const seen: number[] = [];
  const cancelled = new Error('cancelled');
  const tired = new Breath(() => {
    if (seen.length > 20) throw cancelled;
  }, clock(30));
  const list = Array.from({ length: 100 }, (_, i) => i);
  await expect(tired.each(list, (n) => void seen.push(n))).rejects.toBe(cancelled);
  expect(seen).toEqual(list.slice(0, seen.length));
  expect(seen.length).toBeLessThan(30);
  expect(await new Breath(undefined, clock(30)).map(list, (n, i) => 2 * n + i)).toEqual(
    list.map((n) => 3 * n),
  );
});
