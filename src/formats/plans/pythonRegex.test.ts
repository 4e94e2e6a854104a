import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_REGEX } from '#src/oft/plan/regexGuard.ts';
import { escapeRegex, fromFnmatch, fromPython, joined } from './pythonRegex.ts';

describe('Python’s patterns', () => {
  it.each([
    ['a.*b', 'a.*b'],
    ['(?P<n>a)', '(?<n>a)'],
    [String.raw`\Aa\Z`, '^a$'],
    [String.raw`a\\A`, String.raw`a\\A`],
  ])('%s becomes %s', (pattern, source) => expect(fromPython(pattern)).toBe(source));

  it.each(['(?i)a', '(?P<n>a)(?P=n)', '(', '(?#x)a', String.raw`(a)\1`, '(?:a{100}){100}'])(
    '%s has no counterpart',
    (pattern) => expect(fromPython(pattern)).toBeUndefined(),
  );

  it.each([
    ['*.to_[qk]', ['a.to_q', 'b.to_k'], ['a.to_v', 'ato_q', 'a.to_q.x']],
    ['a.?.[!b]', ['a.1.c'], ['a.1.b', 'ax1.c', 'a..c.']],
    ['a[.]b', ['a.b'], ['aXb']],
    ['a[]b', ['a[]b'], ['ab']],
    ['a[]]b', ['a]b'], ['a[]b']],
    ['', [''], ['a']],
  ])('fnmatch %s', (pattern, yes, no) => {
    const source = new RegExp(`^${fromFnmatch(pattern)}$`);
    expect([...yes, ...no].filter((text) => source.test(text))).toEqual(yes);
  });
});

it('escapes any text', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(new RegExp(`^${escapeRegex(text)}$`).test(text)).toBe(true);
    }),
  );
});

it('joins alternatives in expressions that are short enough', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z.]{1,90}$/), { minLength: 1, maxLength: 80 }), (names) => {
      const sources = joined(names.map(escapeRegex), (s) => `(?:^|\\.)(?:${s})$`);
      expect(sources.every((s) => s.length <= LONGEST_REGEX)).toBe(true);
      for (const name of names) expect(sources.some((s) => new RegExp(s).test(name))).toBe(true);
    }),
    { numRuns: 50 },
  );
  expect(joined([])).toEqual([]);
});
