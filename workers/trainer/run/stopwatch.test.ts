/** @file Time counts once, under the innermost name, while it goes on too. */
import { afterEach, expect, it, vi } from 'vitest';
import { Stopwatch } from './stopwatch.ts';

afterEach(() => vi.restoreAllMocks());

it('counts sections that are going on, each second once', async () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const watch = new Stopwatch();
  await watch.time('train', async () => {
    now = 2000;
    await watch.time('save', async () => {
      now = 3000;
      expect(watch.seconds()).toEqual({ train: 2, save: 1 });
    });
    now = 7000;
    expect(watch.seconds()).toEqual({ train: 6, save: 1 });
    await watch.time('save', async () => {
      now = 8000;
      expect(watch.seconds()).toEqual({ train: 6, save: 2 });
    });
  });
  expect(watch.seconds()).toEqual({ train: 6, save: 2 });
});
