import { expect, test } from 'vitest';
import { askedThreads } from './threads.ts';

test.each([
  ['?threads=1', 1],
  ['?debug&threads=12', 12],
  ['', null],
  ['?threads=', null],
  ['?threads=0', null],
  ['?threads=-1', null],
  ['?threads=1.5', null],
  ['?threads=999', null],
])('%s asks for %s threads', (search, threads) => {
  expect(askedThreads(search)).toBe(threads);
});
