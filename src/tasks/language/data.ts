/** @file Texts of a folder, from .txt, tables and JSON lines; all that is wrong is listed by file and line. */
import * as v from 'valibot';
import type { FileSet } from '#src/tasks/files.ts';
import { shortened } from '#src/tasks/problems.ts';
import { columnOf, parseTable } from '#src/tasks/table.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { chatPieces, type Message, type Piece, type Render } from './chat.ts';

/** One text of the data. */
export interface Document {
  /** "chats.jsonl, line 4" */
  readonly name: string;
  readonly pieces: readonly Piece[];
}

const textNames = ['text', 'content', 'document', 'sentence', 'output', 'story'];
const promptNames = ['prompt', 'question', 'instruction', 'input'];
const answerNames = ['completion', 'answer', 'response', 'chosen', 'output'];
const chatNames = ['messages', 'conversations', 'conversation', 'chat'];

const messageSchema = v.union([
  v.object({ role: v.string(), content: v.string() }),
  v.pipe(
    v.object({ from: v.string(), value: v.string() }),
    // ShareGPT's names.
    v.transform(({ from, value }) => ({
      role: from === 'human' ? 'user' : from === 'gpt' ? 'assistant' : from,
      content: value,
    })),
  ),
]);
const chatSchema = v.pipe(v.array(messageSchema), v.minLength(1));

/** Larger files are no texts that a browser should take apart at once. */
const LARGEST = 2 ** 28;
const FILES = /\.(txt|md|jsonl|ndjson|json|csv|tsv)$/i;
/** Files that tools put beside data. */
const BESIDE = /(^|\/)(readme[^/]*|licen[cs]e[^/]*|dataset_infos?\.json|files\.json)$/i;

export interface ReadOptions {
  readonly column: string;
  readonly render: Render;
}

export async function readDocuments(
  files: FileSet,
  options: ReadOptions,
): Promise<{ readonly documents: Document[]; readonly problems: TaskProblem[] }> {
  const documents: Document[] = [];
  const troubles: TaskProblem[] = [];
  const paths = files.paths.filter((p) => FILES.test(p) && !BESIDE.test(p));
  const trouble = (item: string, message: string, severity: 'error' | 'warning' = 'error'): void => {
    troubles.push({ severity, item, message: `${item}: ${message}` });
  };
  for (const path of paths) {
    if ((await files.size(path)) > LARGEST) {
      trouble(path, 'it is larger than 256 MB. Cut it into parts.');
      continue;
    }
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(await files.read(path)).replace(/^\uFEFF/, '');
    } catch {
      trouble(path, 'it is not UTF-8 text. Save it again as UTF-8.');
      continue;
    }
    if (/\.(txt|md)$/i.test(path)) {
      if (text.trim() === '') trouble(path, 'it is empty, and left out.', 'warning');
      else documents.push({ name: path, pieces: [{ text: text.trim(), counted: true }] });
    } else if (/\.(csv|tsv)$/i.test(path)) readCsv(path, text, options, documents, trouble);
    else readJson(path, text, options, documents, trouble);
  }
  if (paths.length === 0) trouble(files.name, 'it holds no text: no .txt, .jsonl, .csv or .tsv file.');
  else if (documents.length === 0 && troubles.length === 0) trouble(files.name, 'it holds no text.');
  const errors = troubles.filter((t) => t.severity === 'error');
  const warnings = troubles.filter((t) => t.severity === 'warning');
  return {
    documents,
    problems: [
      ...shortened(errors, (n) => `${n} more lines cannot be read.`),
      ...shortened(warnings, (n) => `${n} more like these.`),
    ],
  };
}

type Trouble = (item: string, message: string, severity?: 'error' | 'warning') => void;

function readCsv(
  path: string,
  text: string,
  { column, render }: ReadOptions,
  documents: Document[],
  trouble: Trouble,
): void {
  const table = parseTable(path, text, () => true);
  for (const { line, message } of table.troubles) trouble(`${path}, line ${line}`, `${message}.`);
  const wanted = column === '' ? columnOf(table, textNames) : table.columns.find((c) => c === column);
  const prompt = column === '' ? columnOf(table, promptNames) : undefined;
  const answer = column === '' ? columnOf(table, answerNames) : undefined;
  if (wanted === undefined && (prompt === undefined || answer === undefined)) {
    trouble(
      path,
      `it has no column ${column === '' ? 'text, nor prompt and completion' : `"${column}"`}; its columns are ${table.columns.join(', ') || 'none'}. Name the one to learn in the options.`,
    );
    return;
  }
  for (const { line, fields } of table.rows) {
    const name = `${path}, line ${line}`;
    if (prompt !== undefined && answer !== undefined)
      add(name, answered(render, fields.get(prompt) ?? '', fields.get(answer) ?? ''), documents, trouble);
    else add(name, [{ text: fields.get(wanted!) ?? '', counted: true }], documents, trouble);
  }
}

function readJson(
  path: string,
  text: string,
  options: ReadOptions,
  documents: Document[],
  trouble: Trouble,
): void {
  const whole = /\.json$/i.test(path) ? parsed(text) : undefined;
  if (Array.isArray(whole)) {
    whole.forEach((row, i) => readRow(`${path}, entry ${i + 1}`, row, options, documents, trouble));
    return;
  }
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '') return;
    const row = parsed(line);
    const name = `${path}, line ${i + 1}`;
    if (row === undefined) trouble(name, 'it is not JSON.');
    else readRow(name, row, options, documents, trouble);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

function readRow(
  name: string,
  row: unknown,
  { column, render }: ReadOptions,
  documents: Document[],
  trouble: Trouble,
): void {
  if (typeof row === 'string') {
    add(name, [{ text: row, counted: true }], documents, trouble);
    return;
  }
  if (!isRecord(row)) {
    trouble(name, 'it is neither an object nor a text.');
    return;
  }
  const textAt = (names: readonly string[]): string | undefined =>
    names.map((key) => row[key]).find((x): x is string => typeof x === 'string');
  const chat = column === '' ? chatNames.find((key) => row[key] !== undefined) : undefined;
  if (chat !== undefined) {
    const messages = v.safeParse(chatSchema, row[chat]);
    if (!messages.success) trouble(name, `its ${chat} are no list of messages with role and content.`);
    else add(name, rendered(render, messages.output), documents, trouble);
    return;
  }
  const prompt = column === '' ? textAt(promptNames) : undefined;
  const answer = column === '' ? textAt(answerNames) : undefined;
  if (prompt !== undefined && answer !== undefined)
    add(name, answered(render, prompt, answer), documents, trouble);
  else {
    const text = textAt(column === '' ? textNames : [column]);
    if (text === undefined)
      trouble(
        name,
        `it has no ${column === '' ? 'text, messages, or prompt and completion' : `"${column}"`}; it has ${Object.keys(row).slice(0, 8).join(', ') || 'nothing'}.`,
      );
    else add(name, [{ text, counted: true }], documents, trouble);
  }
}

const answered = (render: Render, prompt: string, answer: string): Piece[] | string =>
  answer.trim() === ''
    ? []
    : rendered(render, [
        { role: 'user', content: prompt },
        { role: 'assistant', content: answer },
      ]);

/** Pieces of a chat, or why the template refuses it. */
function rendered(render: Render, messages: readonly Message[]): Piece[] | string {
  try {
    return chatPieces(render, messages);
  } catch (error) {
    return `the model's chat template refuses it (${error instanceof Error ? error.message : String(error)}).`;
  }
}

function add(name: string, pieces: readonly Piece[] | string, documents: Document[], trouble: Trouble): void {
  if (typeof pieces === 'string') trouble(name, pieces);
  else if (pieces.every(({ text }) => text.trim() === ''))
    trouble(name, 'it is empty, and left out.', 'warning');
  else documents.push({ name, pieces });
}
