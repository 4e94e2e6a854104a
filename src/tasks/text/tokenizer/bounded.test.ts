/** @file No tokenizer.json keeps a worker busy: it is refused, or reads a text in time linear in it. A hang fails by the test's time. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BoundedRegex } from '#src/platform/regex/bounded.ts';
import { countingSteps, type Finder, natively } from './finder.ts';
import { isKnownPattern, isSimple } from './knownPatterns.ts';
import { jsOf, patternOf } from './regex.ts';
import { Tokenizer } from './tokenizer.ts';

const model = { type: 'WordLevel', vocab: { a: 0, '[UNK]': 1 }, unk_token: '[UNK]' };
const split = (regex: string): object => ({
  model,
  pre_tokenizer: { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated' },
});
const replace = (pattern: object, content = ''): object => ({ type: 'Replace', pattern, content });
const found = (finder: Finder, text: string): (readonly [number, number])[] => [...finder(text)];

/** Those of the golden files. */
const patterns = new Set<string>();
for (const file of ['tokenizers', 'kinds'])
  JSON.parse(readFileSync(`e2e/golden/tokenizers/${file}.json`, 'utf8'), (key, value: unknown) => {
    if (key === 'Regex' && typeof value === 'string') patterns.add(value);
    return value;
  });
const texts = (JSON.parse(readFileSync('e2e/golden/tokenizers/kinds.json', 'utf8')) as { texts: string[] })
  .texts;

describe('expressions that would take JavaScript for ever', () => {
  const long = `${'a'.repeat(4000)}!`;
  it.each(['(a+)+$', '(a|aa)+$', '(?:.?){40}ZZ', '(?:a*)*b', '(?=(?:a|aa)+b)a', String.raw`(?:\w+\s?)+\?`])(
    '%s: split, replaced and decoded',
    (regex) => {
      expect(new Tokenizer(split(regex)).encode(long).length).toBeGreaterThan(0);
      expect(new Tokenizer({ model, normalizer: replace({ Regex: regex }) }).encode(long)).toHaveLength(1);
      const decoder = replace({ Regex: regex });
      const vocab = { [long]: 0 };
      expect(new Tokenizer({ model: { ...model, vocab }, decoder }).decode([0], false)).toBe(long);
    },
  );

  it('are refused where they take too many steps after all', () => {
    const tokenizer = new Tokenizer(split('(?:a{1,40}){1,40}b'));
    expect(() => tokenizer.encode('a'.repeat(20_000))).toThrow(
      /^The tokenizer's regular expression \(\?:a\{1,40\}\)\{1,40\}b takes too long on the text “a+…” of 20000 characters\./,
    );
  });

  it.each<[object, RegExp]>([
    [
      split('(?:a{100}){100}'),
      /its regular expression .* is not supported: it comes to more than 4000 steps/,
    ],
    [split('('.repeat(5000) + ')'.repeat(5000)), /is not supported/],
    [split('a'.repeat(10_001)), /more than 10000 characters/],
    [{ model, normalizer: replace({ String: 'a'.repeat(300) }) }, /more than 256 characters/],
    [
      {
        model,
        normalizer: { type: 'Sequence', normalizers: Array.from({ length: 300 }, () => ({ type: 'NFC' })) },
      },
      /more than 256 parts/,
    ],
  ])('are refused when they are read: %#', (file, message) => {
    expect(() => new Tokenizer(file)).toThrow(message);
  });

  it('texts that grow and grow', () => {
    const normalizers = Array.from({ length: 40 }, () => replace({ String: 'a' }, 'aa'));
    const tokenizer = new Tokenizer({ model, normalizer: { type: 'Sequence', normalizers } });
    expect(() => tokenizer.encode('a')).toThrow(/longer than 2 million characters/);
  });

  it('long spaces, and tokens beside each other', () => {
    const spaces = `a${' '.repeat(200_000)}a`;
    expect(new Tokenizer({ model, normalizer: { type: 'Strip' } }).encode(spaces)).toHaveLength(1);
    const added = { content: 'a', id: 0, lstrip: true, rstrip: true, single_word: true, normalized: false };
    expect(new Tokenizer({ model, added_tokens: [added] }).encode('a '.repeat(50_000))).toHaveLength(50_000);
    const piece = { type: 'WordPiece', vocab: { a: 0, '##a': 0, '[UNK]': 1 }, max_input_chars_per_word: 1e9 };
    expect(new Tokenizer({ model: piece }).encode('a'.repeat(20_000))).toHaveLength(20_000);
  });
});

describe('matches are the same', () => {
  it.each([...patterns])('by counted steps, for %s', (regex) => {
    const made = patternOf({ Regex: regex });
    const js = jsOf(regex);
    const counted = countingSteps(new BoundedRegex(js.source, 'u'), regex);
    for (const text of texts) {
      const wanted = found(natively(js), text);
      expect(found(counted, text)).toEqual(wanted);
      expect(found(made, text)).toEqual(wanted);
    }
  });

  it('of well-known tokenizers, by JavaScript’s own engine in time linear in the text', () => {
    const known = [...patterns].filter(isKnownPattern);
    expect(known.length).toBeGreaterThanOrEqual(6);
    const units = [' ', '\n', 'a', 'A', '1', '!', '一', "'", ' \n', 'Aa', ' !', "a'", '/ '];
    for (const regex of known)
      for (const unit of units) {
        const text = unit.repeat(30_000);
        const [, end] = found(patternOf({ Regex: regex }), text).at(-1) ?? [0, text.length];
        expect(end, regex).toBeGreaterThanOrEqual(text.length - 1);
      }
  });

  it('of expressions so simple that it can be seen', () => {
    const simple = [...patterns].filter((p) => isSimple(new BoundedRegex(jsOf(p).source, 'u').tree));
    expect(simple).toEqual(expect.arrayContaining([' {2,}', String.raw`\s+|\p{S}`, String.raw`\p{P}|\s`]));
    for (const odd of ['a+b', '(?:a+)+', 'a+?', 'a|b+c', '(?=a)b', 'a{9,}', '^a', String.raw`\b`])
      expect(isSimple(new BoundedRegex(odd, 'u').tree), odd).toBe(false);
  });
});
