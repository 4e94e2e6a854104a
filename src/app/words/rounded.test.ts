import { expect, it } from 'vitest';
import type { RoundedBase } from '#workers/protocol.ts';
import { leftWords, roundedWords } from './rounded.ts';

const weight = (error: number) => ({ name: 'w', block: 32, before: 4e6, after: 625e3, error });
const base: RoundedBase = {
  bits: 4,
  before: 12e6,
  after: 1.875e6,
  weights: [weight(0.08), weight(0.093), weight(0.071)],
  left: [],
  outputs: 0.043,
};

it('says what fewer bits save and cost', () => {
  expect(roundedWords(base)).toBe(
    '3 weights are held in 4 bits: 1.88 MB instead of 12 MB. They are off by 8\u2009%, the worst by 9.3\u2009%; what the untouched model makes of the first batch by 4.3\u2009%.',
  );
  expect(roundedWords({ ...base, weights: [weight(0.08)] })).toMatch(
    /^A weight is held .* It is off by 8\u2009%; /,
  );
  expect(roundedWords({ ...base, outputs: null })).toMatch(/was not measured/);
  expect(roundedWords({ ...base, weights: [] })).toBe('No weight is held in 4 bits.');
});

it('names what stays as it is', () => {
  expect(leftWords(base)).toBe('');
  const left = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
    name,
    bytes: 1e6,
    reason: 'is looked up by Gather embed',
  }));
  expect(leftWords({ left })).toBe(
    'As they are stay: a (1 MB) is looked up by Gather embed; b (1 MB) is looked up by Gather embed; c (1 MB) is looked up by Gather embed; and 2 more.',
  );
});
