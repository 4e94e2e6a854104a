/** @file Lines are those that a split gives, and entries of a list those of the parser, of whole texts and of muddled ones. */
import { describe, expect, it } from 'vitest';
import { Breath } from '#src/platform/breath.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { entriesIn, linesIn } from './lines.ts';
import { type Dice, dice } from './testing/fuzz.ts';

const CASES = depth(2000, 100_000);
const some = (d: Dice, parts: readonly string[], most: number): string =>
  Array.from({ length: d.whole(most) }, () => d.pick(parts)).join('');

it('lines of any text are those of a split', () => {
  for (let seed = 0; seed < CASES; seed++) {
    const text = some(dice(seed), ['a', '\n', '\r', '\r\n', ''], 12);
    expect([...linesIn(text)]).toEqual(text.split(/\r?\n/));
  }
});

describe('entries', () => {
  const parsed = (text: string): unknown[] | null => {
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) ? value : null;
    } catch {
      return null;
    }
  };

  it.each([
    ['[]', []],
    [' [ ] \n', []],
    ['[1]', [1]],
    ['[1,]', null],
    ['[,1]', null],
    ['[', null],
    [']', null],
    ['', null],
    ['[1] 2', null],
    ['{"a": [1, 2]}', null],
    ['["a,b]", {"c": [1, "\\"],"]}, [[]]]', ['a,b]', { c: [1, '"],'] }, [[]]]],
    ['[1]\n[2]', null],
    ['\u00a0[1]', null],
    ['["\\\\"]', ['\\']],
    ['[1},{2]', null],
  ])('of %s', async (text, entries) => {
    expect(await entriesIn(text, new Breath())).toEqual(entries);
    expect(parsed(text)).toEqual(entries);
  });

  it('of any text are those of the parser', async () => {
    const parts = [
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '\\',
      '1',
      '"a"',
      '"a":',
      'null',
      ' ',
      '[]',
      '{}',
      '\n',
    ];
    const value = (d: Dice, deep: number): unknown => {
      if (deep === 0 || d.chance(0.4)) return d.pick([1, null, 'a', ',"]', '\\', '{[', true]);
      const inner = Array.from({ length: d.whole(4) }, () => value(d, deep - 1));
      return d.chance(0.5) ? inner : Object.fromEntries(inner.map((x, i) => [`${i},[`, x]));
    };
    let lists = 0;
    for (let seed = 0; seed < CASES; seed++) {
      const d = dice(seed);
      let text = d.chance(0.5)
        ? `[${some(d, parts, 8)}]`
        : JSON.stringify([value(d, 3), value(d, 2)], null, d.whole(2));
      if (d.chance(0.3))
        text = text.slice(0, d.whole(text.length)) + d.pick(parts) + text.slice(d.whole(text.length));
      const wanted = parsed(text);
      if (wanted) lists++;
      expect(await entriesIn(text, new Breath()), text).toEqual(wanted);
    }
    expect(lists).toBeGreaterThan(CASES / 5);
  });

  it('of one that is long are walked over with breaths between', async () => {
    let looks = 0;
    const breath = new Breath(undefined, () => 60 * looks++);
    expect(await entriesIn(`["${'x'.repeat(2 ** 20)}"]`, breath)).toHaveLength(1);
    expect(looks).toBeGreaterThan(15);
  });
});
