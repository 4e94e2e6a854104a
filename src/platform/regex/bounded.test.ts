import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depth } from '../testing/depth.ts';
import { BoundedRegex, StepsSpent } from './bounded.ts';

const spans = (regex: BoundedRegex, text: string): (readonly [number, number])[] => [
  ...regex.matches(text, { left: 1e7 }),
];
const native = (source: string, flags: string, text: string): [number, number][] =>
  [...text.matchAll(new RegExp(source, `g${flags}`))].map(({ 0: found, index }) => [
    index,
    index + found.length,
  ]);

describe('matches are JavaScript’s', () => {
  it.each([
    ['(?:a?b??)*', '', 'ab'],
    ['(?:a*)*', '', 'baa'],
    ['(?:a*)+?b', '', 'aab'],
    ['(?:a|ab)(?:c|bcd)(?:d*)', '', 'abcd'],
    ['(?:(?:a*)*b?)*c', '', 'aabac'],
    ['(?:|a){2,3}', '', 'aaaa'],
    ['(?:a??){3}b', '', 'aaab'],
    [String.raw`\b\w+\b(?!\.)`, '', 'one two. three'],
    [String.raw`(?<=\d{2})x|(?<!\d)y`, '', '12x 1x y 1y'],
    ['(?<=a.*)b', '', 'xb ab bb'],
    ['(?<=(?:a|bc)+)d', '', 'abcd cd'],
    ['^a$', 'm', 'a\na\r\nba'],
    ['.', 'su', 'a\n😀'],
    ['.', 's', '😀'],
    ['(?<=😀)a', 'u', '😀a'],
    [String.raw`\ud83d\ude00+`, 'u', '😀😀'],
    [String.raw`[^\p{L}]+|\p{Lu}`, 'u', 'aÉ😀9'],
    ['Ab', 'i', 'aB AB'],
    [String.raw`\u{2}\cA\0\c`, '', 'uu\u0001\0\\c'],
    ['x{,2}{1}]}', '', 'x{,2}]}'],
    ['(?=a)*b', '', 'ab'],
    [String.raw`[]|[^]\/`, '', 'a/'],
    [String.raw`\w+(?=(?:(?!\w).)*$)`, '', 'one two'],
  ])('%s, flags "%s", in %j', (source, flags, text) => {
    expect(spans(new BoundedRegex(source, flags), text)).toEqual(native(source, flags, text));
  });

  const leaf = fc.oneof(
    fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      String.raw`\w`,
      '',
      '^',
      '$',
      String.raw`\b`,
      String.raw`\B`,
    ),
    fc.constantFrom(String.raw`\W`, '😀', String.raw`\s`),
  );
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      fc.tuple(tie('expression'), tie('expression')).map((x) => x.join('')),
      fc.tuple(tie('expression'), tie('expression')).map((x) => `(?:${x.join('|')})`),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '{1,}', '{2,3}', '{0}'),
          fc.constantFrom('', '?'),
        )
        .map(([x, times, lazy]) => `(?:${x})${times}${lazy}`),
      fc
        .tuple(fc.constantFrom('(?=', '(?!', '(?<=', '(?<!', '('), tie('expression'))
        .map((x) => `${x.join('')})`),
    ),
  }));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '😀'), maxLength: 9 });

  it('for random expressions and texts', () => {
    fc.assert(
      fc.property(
        expression,
        fc.array(text, { minLength: 3, maxLength: 3 }),
        fc.boolean(),
        (source, texts, u) => {
          const flags = u ? 'u' : '';
          const regex = new BoundedRegex(source, flags);
          for (const each of texts) {
            const wanted = native(source, flags, each);
            // V8 finds empty matches within a character, which the language has not.
            if (u && wanted.some(([at]) => /[\udc00-\udfff]/.test(each.charAt(at)))) continue;
            expect(spans(regex, each), JSON.stringify(each)).toEqual(wanted);
          }
        },
      ),
      { numRuns: depth(2000, 100_000), seed: 3 },
    );
  });
});

describe('takes steps in line with the text', () => {
  it.each([
    `^${'.?'.repeat(40)}ZZ`,
    `^${'a+'.repeat(10)}ZZ`,
    `${String.raw`\d+`.repeat(10)}ZZ`,
    '(a+)+$',
    '(a|aa)+$',
    '(?:(?:a*)*)*b',
    '(?=(?:a|aa)+b)a',
    '(?<=b(?:a|aa)*)a',
    String.raw`(?<!b(?:\w+)+)$`,
    'a*b|a',
    '(?:a{1,20}){1,20}b',
  ])('%s', (source) => {
    const regex = new BoundedRegex(source);
    const taken = (length: number): number => {
      const steps = { left: 1e9 };
      for (const text of ['a'.repeat(length), '1'.repeat(length)])
        Array.from(regex.matches(`${text}c`, steps));
      return 1e9 - steps.left;
    };
    expect(taken(800)).toBeLessThan(2.1 * taken(400));
  });

  it('and no more than it may', () => {
    expect(() => new BoundedRegex('(a|aa)+$').test(`${'a'.repeat(100)}b`, { left: 50 })).toThrow(StepsSpent);
  });
});

it.each<[string, string, RegExp]>([
  [String.raw`(a)\1`, '', /refers back/],
  [String.raw`(?<x>a)\k<x>`, 'u', /refers back/],
  ['(', '', /no regular expression/],
  ['(?:){1000000000}', '', /more than 4000 steps/],
  ['(?:a{100}){100}', '', /more than 4000 steps/],
  ['('.repeat(200) + ')'.repeat(200), '', /nested deeper/],
  ['('.repeat(100_000) + ')'.repeat(100_000), '', /regular expression|nested deeper/],
])('refuses %#: %.40s', (source, flags, reason) => {
  expect(() => new BoundedRegex(source, flags)).toThrow(reason);
});
