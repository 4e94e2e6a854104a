/** @file Numbers, addresses and names that are replaced, and what looks like them and is not. */
import { expect, it } from 'vitest';
import { Replacer } from './replace.ts';

const both = { names: true, contacts: true };
const replaced = (text: string, others: readonly string[] = [], own = 'Me'): string =>
  new Replacer(both, others, own).text(text);

it.each([
  ['ruf an: 0170 1234567 oder +49 (30) 123 456-78', 'ruf an: [phone 1] oder [phone 2]'],
  ['call 555-123-4567!', 'call [phone 1]!'],
  ['我的电话13812345678', '我的电话[phone 1]'],
  ['write to anna.m+x@mail.example.org.', 'write to [e-mail 1].'],
  ['see https://example.org/a?b=1 and www.example.org', 'see [link 1] and [link 2]'],
  ['DE89 3704 0044 0532 0130 00', '[account 1]'],
  ['card 4111 1111 1111 1111', 'card [account 1]'],
  ['Hauptstraße 12a, 10115 Berlin', '[address 1]'],
  ['Berliner Str. 5 und Am Markt', '[address 1] und Am Markt'],
  ['at 221b Baker Street.', 'at [address 1].'],
  ['我住在中山路12号', '[address 1]'],
])('%s', (text, wanted) => {
  expect(replaced(text)).toBe(wanted);
});

it.each([
  'am 01.02.2023 um 09.30',
  '2023-05-12 21:04',
  '10000 Euro, 20 % von 1.000.000',
  'card 4111 1111 1111 1112 is none',
  'version 10.20.30',
  '3:2 and 0:0',
])('keeps %s', (text) => {
  expect(replaced(text)).toBe(text);
});

it('gives the same placeholder to the same name, number and address', () => {
  const replacer = new Replacer(both, ['Anna Meier', '王小明', 'Al'], 'Ben Meier');
  expect(replacer.text('hi Anna, ANNA and 王小明! Al? Ben Meier, Annabel')).toBe(
    'hi [name 1], [name 1] and [name 2]! Al? Ben Meier, Annabel',
  );
  expect(replacer.text('Anna: a@b.org, A@b.org, c@b.org')).toBe(
    '[name 1]: [e-mail 1], [e-mail 1], [e-mail 2]',
  );
  expect(replacer.counts).toMatchObject({ name: 4, 'e-mail': 3 });
});

it('replaces nothing that was not asked for', () => {
  const text = 'Anna, 0170 1234567';
  expect(new Replacer({ names: false, contacts: false }, ['Anna'], 'Me').text(text)).toBe(text);
});
