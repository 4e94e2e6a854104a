/** @file Random regular expressions: those that engines with a way back would try for ever are among them. */
import fc from 'fast-check';

const piece = fc.constantFrom(
  ...['a', '.', String.raw`\p{L}`, String.raw`\s`, '[^a]', '(?:', '(?>', '(?=', '(?<!', '(?i:'],
);
const more = fc.constantFrom(
  ...[')', ')', ')+', ')*', '|', '+', '*', '?', '++', '{2,}', '{1,3}', '$', '^', String.raw`\b`],
);

export const regexes = fc.array(fc.oneof(piece, more), { maxLength: 12 }).map((x) => x.join(''));

/** Known to keep JavaScript's own engine busy. */
export const slowRegexes: readonly string[] = [
  ...['(a+)+$', '(a|aa)+$', `^${'.?'.repeat(40)}ZZ`, '(?:a*)*b', '(?=(?:a|aa)+b)a', `${'a+'.repeat(10)}$`],
  ...[String.raw`(?:\w+\s?)+\?`, String.raw`${String.raw`\d+`.repeat(10)}x`, '(?:a{1,40}){1,40}b'],
];

/** One value of an arbitrary, the same for the same seed. */
export const drawn = <T>(arbitrary: fc.Arbitrary<T>, seed: number): T =>
  fc.sample(arbitrary, { seed, numRuns: 1 })[0]!;
