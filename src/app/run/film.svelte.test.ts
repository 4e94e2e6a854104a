/** @file The film shows the chosen step, whatever rows come, and plays to its end. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Film } from './film.svelte.ts';

const row = (step: number) => ({ step, prompts: ['fox'], pictures: [] });
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('shows the newest row until another is chosen, which then stays', () => {
  const run = $state({ told: [row(0), row(10)] });
  const film = new Film(run);
  expect(film.row?.step).toBe(10);
  run.told = [...run.told, row(20)];
  expect(film.row?.step).toBe(20);
  film.seek(1);
  run.told = [row(0), row(5), row(10), row(20), row(30)];
  expect([film.row?.step, film.at]).toEqual([10, 2]);
  run.told = [row(0), row(5)];
  expect(film.row?.step).toBe(5);
  film.seek(-3);
  expect(film.row?.step).toBe(0);
  run.told = [];
  expect(film.row).toBeNull();
});

it('plays from the beginning to the end, and stands where it is paused', () => {
  const film = new Film({ told: [row(0), row(10), row(20), row(30)] });
  film.play();
  expect([film.row?.step, film.playing]).toEqual([0, true]);
  vi.advanceTimersByTime(700);
  expect(film.row?.step).toBe(10);
  film.pause();
  vi.advanceTimersByTime(5000);
  expect([film.row?.step, film.playing]).toEqual([10, false]);
  film.play();
  vi.advanceTimersByTime(5000);
  expect([film.row?.step, film.playing]).toEqual([30, false]);
  const short = new Film({ told: [row(0)] });
  short.play();
  expect(short.playing).toBe(false);
});
