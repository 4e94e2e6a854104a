/** @file Numbers as people read them. */
import { describe, expect, it } from 'vitest';
import { ago, bytes, count, duration, figure, percent, rate, roughly } from './format.ts';

describe('duration', () => {
  it.each([
    [0.4, 'less than 1 s'],
    [42, '42 s'],
    [89.6, '1 min 30 s'],
    [180, '3 min'],
    [3725, '62 min'],
    [5400, '1 h 30 min'],
    [7200, '2 h'],
    [Number.NaN, '–'],
  ])('%s s is %s', (seconds, text) => expect(duration(seconds)).toBe(text));
});

it('estimates in round figures', () => {
  expect([3, 52, 125, 9000].map(roughly)).toEqual([
    'a few seconds',
    'about 50 s',
    'about 2 min',
    'about 3 h',
  ]);
});

it('says how long ago', () => {
  const now = 1e12;
  const minutes = (n: number) => ago(now - n * 60_000, now);
  expect([0.5, 2, 61, 180, 3 * 1440].map(minutes)).toEqual([
    'just now',
    '2 min ago',
    '1 hour ago',
    '3 hours ago',
    '3 days ago',
  ]);
  expect(ago(now + 5000, now)).toBe('just now');
});

it('keeps three figures of a size', () => {
  expect([0, 999, 1000, 224_311, 12_920_538, 999_600].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '224 kB',
    '12.9 MB',
    '1 MB',
  ]);
});

it('groups thousands', () => {
  expect([0, 999, 57_347, 2_760_000].map(count)).toEqual(['0', '999', '57\u2009347', '2\u2009760\u2009000']);
});

it('gives shares, rates and losses the figures they deserve', () => {
  expect([0, 0.00042, 0.0208, 0.43, 1].map(percent)).toEqual(
    ['0', '0.042', '2.1', '43', '100'].map((n) => `${n}\u2009%`),
  );
  expect([0.41, 0.05, 3.14, 0].map(rate)).toEqual(['2.4 steps/s', '20 steps/s', '3.1 s/step', '–']);
  expect([0.18364, 5e-3, 0, Infinity].map(figure)).toEqual(['0.184', '5.00e-3', '0', 'not finite']);
});
