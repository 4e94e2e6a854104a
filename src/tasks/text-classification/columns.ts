/** @file Which columns of a table hold text and label. */
import { labelColumns } from '#src/tasks/classification/labels.ts';
import { columnOf, type Table } from '#src/tasks/table.ts';
import type { TextClassOptions } from './info.ts';

const pairNames: readonly (readonly [string, string])[] = [
  ['sentence1', 'sentence2'],
  ['premise', 'hypothesis'],
  ['text_a', 'text_b'],
  ['text1', 'text2'],
  ['question1', 'question2'],
  ['question', 'sentence'],
  ['text', 'text_pair'],
];
const textNames = [
  'text',
  'sentence',
  'content',
  'review',
  'message',
  'comment',
  'tweet',
  'utterance',
  'document',
  'body',
  'question',
  'headline',
  'description',
  'title',
];

export type ColumnOptions = Pick<TextClassOptions, 'column' | 'pairColumn' | 'labelColumn'>;

export interface Columns {
  readonly text: string;
  /** null: one text a row. */
  readonly pair: string | null;
  readonly label: string;
}

const usual = new Set([...labelColumns, ...textNames, ...pairNames.flat()]);
const plain = (name: string): string => name.toLowerCase().replaceAll(/[\s-]+/g, '_');

/** Whether the first row of a table names its columns. */
export const namesColumns =
  (options: ColumnOptions) =>
  (first: readonly string[]): boolean =>
    first.some(
      (name) =>
        usual.has(plain(name)) || [options.column, options.pairColumn, options.labelColumn].includes(name),
    );

/** Of a table without names: the label is the column with the fewest different values, the text the longest of the others. */
function guessed({ columns, rows }: Table): Columns | null {
  if (columns.length < 2 || rows.length === 0) return null;
  const values = (column: string): string[] => rows.map((row) => row.fields.get(column) ?? '');
  const kinds = columns.map((c) => new Set(values(c)).size);
  const label = columns[kinds.indexOf(Math.min(...kinds))]!;
  const others = columns.filter((c) => c !== label);
  const lengths = others.map((c) => values(c).reduce((n, text) => n + text.length, 0));
  return { text: others[lengths.indexOf(Math.max(...lengths))]!, pair: null, label };
}

/** The columns; or what cannot be found: a phrase for a message. */
export function findColumns(table: Table, options: ColumnOptions): Columns | string {
  const named = (name: string): string | undefined => table.columns.find((c) => c === name);
  for (const name of [options.column, options.pairColumn, options.labelColumn])
    if (name !== '' && named(name) === undefined) return `no column "${name}"`;
  const nameless = table.columns.every((c) => /^column \d+$/.test(c));
  const guess = nameless ? guessed(table) : null;
  const twin =
    options.column === '' && options.pairColumn === ''
      ? pairNames.find((pair) => pair.every((name) => columnOf(table, [name]) !== undefined))
      : undefined;
  const text = named(options.column) ?? columnOf(table, twin ? [twin[0]] : textNames) ?? guess?.text;
  const pair = named(options.pairColumn) ?? (twin ? columnOf(table, [twin[1]]) : undefined) ?? null;
  const label = named(options.labelColumn) ?? columnOf(table, labelColumns) ?? guess?.label;
  if (text === undefined) return 'no column for the text';
  if (label === undefined) return 'no column for the label';
  return { text, pair, label };
}
