/** @file Beats go on, and say what is announced. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BEAT, Pulse, SILENCE, UNTIMED } from './pulse.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('beats at once and then regularly, until it is ended', () => {
  const heard: number[] = [];
  const end = new Pulse().begin((allowed) => heard.push(allowed));
  vi.advanceTimersByTime(3 * BEAT);
  expect(heard).toEqual([0, 0, 0, 0]);
  end();
  vi.advanceTimersByTime(3 * BEAT);
  expect(heard).toHaveLength(4);
});

it('announces work before it begins, and takes that back however it ends', async () => {
  const pulse = new Pulse();
  const heard: number[] = [];
  pulse.begin((allowed) => heard.push(allowed));
  await pulse.during(UNTIMED, () => {
    expect(heard).toEqual([0, UNTIMED]);
  });
  expect(heard).toEqual([0, UNTIMED, 0]);
  await expect(pulse.during(2 * SILENCE, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(heard).toEqual([0, UNTIMED, 0, 2 * SILENCE, 0]);
});

it('allows as much as the longest of what goes on at once', async () => {
  const pulse = new Pulse();
  const heard: number[] = [];
  pulse.begin((allowed) => heard.push(allowed));
  let end: () => void = () => undefined;
  const long = pulse.during(9 * SILENCE, () => new Promise<void>((resolve) => (end = resolve)));
  await pulse.during(3 * SILENCE, () => undefined);
  end();
  await long;
  expect(heard).toEqual([0, 9 * SILENCE, 9 * SILENCE, 9 * SILENCE, 0]);
});

it('says nothing of what everybody waits for in any case', async () => {
  const pulse = new Pulse();
  const tell = vi.fn();
  pulse.begin(tell);
  expect(await pulse.during(SILENCE, () => 7)).toBe(7);
  expect(tell).toHaveBeenCalledTimes(1);
});
