/** @file Texts of files and of the clipboard as items: a line each, or a row of a table each. */
import * as v from 'valibot';
import { decodeText } from '#src/tasks/decodeText.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { answerNames, chatNames, promptNames, textNames } from '#src/tasks/language/columns.ts';
import { columnOf, parseTable } from '#src/tasks/table.ts';
import { type Item, newItem } from './content.ts';

/** Characters beyond which a text is no row to edit. */
const LONGEST = 20_000;
/** Files that tools put beside data. */
const BESIDE = /(^|\/)(readme[^/]*|licen[cs]e[^/]*|dataset_infos?\.json|files\.json)$/i;

export const linesIn = (text: string): string[] =>
  text
    .split(/\r\n?|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Each line of all text files. */
export async function linesOf(files: FileSet): Promise<Item[]> {
  const items: Item[] = [];
  for (const path of files.paths.filter((p) => /\.(txt|md)$/i.test(p) && !BESIDE.test(p)))
    items.push(...linesIn(decodeText(await files.read(path))).map((words) => newItem({ words })));
  return items;
}

/**
 * Texts, and prompts with answers, as the task that writes texts reads them.
 * @param column that holds the text; '': by the usual names
 * @returns null: some of them are neither, as chats of many turns are
 */
export async function chatItems(files: FileSet, column: string): Promise<Item[] | null> {
  const items: Item[] = [];
  for (const path of files.paths.filter(
    (p) => /\.(txt|md|jsonl?|ndjson|csv|tsv)$/i.test(p) && !BESIDE.test(p),
  )) {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await files.read(path));
    const found = /\.(txt|md)$/i.test(path)
      ? [{ words: text.trim() }]
      : /\.(csv|tsv)$/i.test(path)
        ? tableRows(path, text, column)
        : jsonRows(path, text, column);
    if (!found) return null;
    for (const row of found) items.push(newItem(row));
  }
  const long = ({ words, answer }: Item) => Math.max(words?.length ?? 0, answer?.length ?? 0) > LONGEST;
  return items.some(long) ? null : items;
}

type Row = Pick<Item, 'words'> & Partial<Pick<Item, 'answer'>>;

function tableRows(path: string, text: string, column: string): Row[] | null {
  const table = parseTable(path, text, () => true);
  if (table.troubles.length > 0) return null;
  const prompt = column === '' ? columnOf(table, promptNames) : undefined;
  const answer = column === '' ? columnOf(table, answerNames) : undefined;
  const own = column === '' ? columnOf(table, textNames) : table.columns.find((c) => c === column);
  const at = (fields: ReadonlyMap<string, string>, name: string): string => fields.get(name) ?? '';
  if (prompt !== undefined && answer !== undefined)
    return table.rows.map(({ fields }) => ({ words: at(fields, prompt), answer: at(fields, answer) }));
  return own === undefined ? null : table.rows.map(({ fields }) => ({ words: at(fields, own) }));
}

function jsonRows(path: string, text: string, column: string): Row[] | null {
  const clean = text.replace(/^\uFEFF/, '');
  const whole = /\.json$/i.test(path) ? parsed(clean) : undefined;
  const values = Array.isArray(whole)
    ? whole
    : clean
        .split(/\r?\n/)
        .filter((line) => line.trim() !== '')
        .map(parsed);
  const rows = values.map((value) => jsonRow(value, column));
  return rows.every((row) => row !== null) ? rows : null;
}

const rowSchema = v.record(v.string(), v.unknown());

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function jsonRow(value: unknown, column: string): Row | null {
  if (typeof value === 'string') return { words: value };
  if (!v.is(rowSchema, value)) return null;
  const row = value;
  const first = (names: readonly string[], ...kinds: ((x: unknown) => boolean)[]): unknown =>
    names.map((name) => row[name]).find((x) => kinds.some((is) => is(x)));
  const isText = (x: unknown): x is string => typeof x === 'string';
  if (column === '') {
    if (chatNames.some((name) => row[name] !== undefined)) return null;
    const prompt = first(promptNames, isText, Array.isArray);
    const answer = first(answerNames, isText, Array.isArray);
    if (prompt !== undefined && answer !== undefined)
      return isText(prompt) && isText(answer) ? { words: prompt, answer } : null;
  }
  const text = first(column === '' ? textNames : [column], isText);
  return isText(text) ? { words: text } : null;
}

/** Lines as texts; where each has one tab, as what a person says and the answer. */
export function twoColumns(text: string): Item[] {
  const lines = linesIn(text).map((line) => line.split('\t'));
  const pairs = lines.every((parts) => parts.length === 2);
  return lines.map(([words = '', ...rest]) =>
    pairs
      ? newItem({ words: words.trim(), answer: rest.join('\t').trim() })
      : newItem({ words: [words, ...rest].join('\t') }),
  );
}
