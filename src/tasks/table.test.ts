/** @file Rows of texts as other programs read them, whatever cuts them. */
import { describe, expect, it } from 'vitest';
// What Python's csv module makes of whole and of muddled texts (make_tables.py).
import golden from '../../e2e/golden/tables/rows.json' with { type: 'json' };
import { parseTable, sniffDelimiter, splitRows } from './table.ts';

describe('tables', () => {
  it.each([
    ['a,b\n1,2', ','],
    ['a;b\n"1,5";2', ';'],
    ['a\tb\n1 , 2\t3', '\t'],
    ['a|b|c\n1|2|3', '|'],
    ['one', ','],
    // Sentences have commas, too, and often as many in every line.
    ['text;label\nHello, world, and you;a\nBye, now;b\n', ';'],
    ['text\tlabel\nHello, you\ta\nBye, you\tb\n', '\t'],
    ['"text";"label"\n"one, two, three";"a, b"\n"four, five, six";"c, d"\n', ';'],
    ['prompt;completion\n"a\nb,c\nd,e\nf,g";x\n"1,2\n3,4";y\n', ';'],
    ['text,label\n"a; b; c",x\n"d; e",y\n', ','],
  ])('sniffs the delimiter of %j', (content, delimiter) => {
    expect(sniffDelimiter(content)).toBe(delimiter);
  });

  it('counts lines through quoted breaks', async () => {
    const table = await parseTable('t.csv', 'a,b\n"x\ny",1\nz\n', () => true);
    expect(table.rows.map((r) => [r.line, r.fields.get('a')])).toEqual([[2, 'x\ny']]);
    expect(table.troubles).toEqual([{ line: 4, message: 'it has 1 field, the header has 2' }]);
  });

  it('knows every kind of line end', async () => {
    const table = await parseTable('t.csv', 'a,b\r1,2\r\n3,4\n5', () => true);
    expect(table.rows.map((r) => [r.line, ...r.fields.values()])).toEqual([
      [2, '1', '2'],
      [3, '3', '4'],
    ]);
    expect(table.troubles).toEqual([{ line: 4, message: 'it has 1 field, the header has 2' }]);
  });

  it('have the rows that Python reads, of whole files and of any muddle', () => {
    for (const [delimiter, text, rows] of golden as [string, string, string[][]][])
      expect({ text, rows: splitRows(text, delimiter).map(({ fields }) => fields) }).toEqual({ text, rows });
  });
});
