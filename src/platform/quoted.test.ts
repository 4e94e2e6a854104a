import { expect, it } from 'vitest';
import { quoted } from './quoted.ts';

it.each<[unknown, string]>([
  [undefined, 'missing'],
  [null, 'nothing'],
  [NaN, 'NaN'],
  [-0.5, '-0.5'],
  ['null', '"null"'],
  [[null, 'a "null" b', { null: null }], '[nothing,"a \\"null\\" b",{"null":nothing}]'],
  ['x'.repeat(100), `"${'x'.repeat(56)}…`],
])('%j is %s', (value, text) => {
  expect(quoted(value)).toBe(text);
});

it('a text of megabytes', () => {
  expect(quoted('x'.repeat(2e7))).toHaveLength(58);
});

it('lists in lists without end', () => {
  let list: unknown = [];
  for (let i = 0; i < 200_000; i++) list = [list];
  expect(quoted(list)).toBe('nested too deeply');
});
