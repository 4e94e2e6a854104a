/** @file Texts of files and of the clipboard as items: a line each, or a row of a table each. */
import * as v from 'valibot';
import type { FileSet } from '#src/tasks/files.ts';
import { answerNames, chatNames, promptNames, textNames } from '#src/tasks/language/columns.ts';
import { columnOf, parseTable } from '#src/tasks/table.ts';
import { TextFiles } from '#src/tasks/textFiles.ts';
import { type Item, newItem } from './content.ts';

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
  const source = new TextFiles(files);
  for (const path of files.paths.filter((p) => /\.(txt|md)$/i.test(p) && !BESIDE.test(p)))
    for (const words of linesIn(await source.text(path))) items.push(newItem({ words }));
  return items;
}

/**
 * Texts, and prompts with answers, as the task that writes texts reads them.
 * @param column that holds the text; '': by the usual names
 * @returns those that can be read. Throws where there are chats that hold more than words
 */
export async function chatItems(files: FileSet, column: string): Promise<Item[]> {
  const items: Item[] = [];
  const source = new TextFiles(files);
  for (const path of files.paths.filter(
    (p) => /\.(txt|md|jsonl?|ndjson|csv|tsv)$/i.test(p) && !BESIDE.test(p),
  )) {
    let text: string;
    const bytes = await source.bytes(path);
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      continue;
    }
    const found = /\.(txt|md)$/i.test(path)
      ? [{ words: text.trim() }]
      : /\.(csv|tsv)$/i.test(path)
        ? await tableRows(path, text, column)
        : jsonRows(path, text, column);
    for (const row of found) items.push(newItem(row));
  }
  return items;
}

/** Texts of tables that say no labels, where a column holds texts. @param column its name; '': by the usual ones */
export async function unlabelled(files: FileSet, column: string): Promise<Item[]> {
  const items: Item[] = [];
  const source = new TextFiles(files);
  for (const path of files.paths.filter((p) => /\.(jsonl?|ndjson|csv|tsv)$/i.test(p) && !BESIDE.test(p))) {
    const text = await source.text(path);
    const rows = /\.(csv|tsv)$/i.test(path)
      ? await tableRows(path, text, column)
      : jsonRows(path, text, column);
    for (const { words } of rows) if (words?.trim()) items.push(newItem({ words: words.trim() }));
  }
  return items;
}

type Row = Pick<Item, 'words'> & Partial<Pick<Item, 'answer' | 'chat'>>;

async function tableRows(path: string, text: string, column: string): Promise<Row[]> {
  const table = await parseTable(path, text, () => true);
  const prompt = column === '' ? columnOf(table, promptNames) : undefined;
  const answer = column === '' ? columnOf(table, answerNames) : undefined;
  const own = column === '' ? columnOf(table, textNames) : table.columns.find((c) => c === column);
  const at = (fields: ReadonlyMap<string, string>, name: string): string => fields.get(name) ?? '';
  if (prompt !== undefined && answer !== undefined)
    return table.rows.map(({ fields }) => ({ words: at(fields, prompt), answer: at(fields, answer) }));
  return own === undefined ? [] : table.rows.map(({ fields }) => ({ words: at(fields, own) }));
}

function jsonRows(path: string, text: string, column: string): Row[] {
  const clean = text.replace(/^\uFEFF/, '');
  const whole = /\.json$/i.test(path) ? parsed(clean) : undefined;
  const values = Array.isArray(whole)
    ? whole
    : clean
        .split(/\r?\n/)
        .filter((line) => line.trim() !== '')
        .map(parsed);
  return values.flatMap((value) => jsonRow(value, column) ?? []);
}

const turnSchema = v.union([
  v.strictObject({ role: v.string(), content: v.string() }),
  v.pipe(
    v.strictObject({ from: v.string(), value: v.string() }),
    // ShareGPT's names.
    v.transform(({ from, value }) => ({
      role: from === 'human' ? 'user' : from === 'gpt' ? 'assistant' : from,
      content: value,
    })),
  ),
]);
/** Turns of words alone, said by somebody: what else a chat can hold is left as it is. */
const turnsSchema = v.pipe(v.array(turnSchema), v.minLength(1));

const asTurns = (said: unknown, role: string): unknown[] =>
  typeof said === 'string' ? [{ role, content: said }] : Array.isArray(said) ? (said as unknown[]) : [null];

/** null: it is no list. Throws where it holds more than words, which would be lost. */
function turnsIn(list: unknown): Row | null {
  if (!Array.isArray(list)) return null;
  return { words: null, chat: v.parse(turnsSchema, list) };
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
    const chat = chatNames.find((name) => row[name] !== undefined);
    if (chat !== undefined) return turnsIn(row[chat]);
    const prompt = first(promptNames, isText, Array.isArray);
    const answer = first(answerNames, isText, Array.isArray);
    if (prompt !== undefined && answer !== undefined)
      return isText(prompt) && isText(answer)
        ? { words: prompt, answer }
        : turnsIn([asTurns(prompt, 'user'), asTurns(answer, 'assistant')].flat());
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
