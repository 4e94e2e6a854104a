/** @file Rows of tables and JSON lines as texts: plain ones, prompts with answers, and chats. */
import type { Breath } from '#src/platform/breath.ts';
import { templateCure, templateReason } from './chat.ts';
import * as v from 'valibot';
import { entriesIn, linesIn } from '#src/tasks/lines.ts';
import { Cells, columnOf, parseTable } from '#src/tasks/table.ts';
import type { Message, Piece } from './chat.ts';
import { answerNames, chatNames, promptNames, textNames } from './columns.ts';
import type { Document, ReadOptions } from './types.ts';
import type { FrameKind, Framing } from './frame.ts';

const contentSchema = v.union([
  v.string(),
  // Texts in parts, as chat services write them.
  v.pipe(
    v.array(v.object({ type: v.literal('text'), text: v.string() })),
    v.transform((parts) => parts.map(({ text }) => text).join('')),
  ),
  // A call of a tool says nothing.
  v.pipe(
    v.null(),
    v.transform(() => ''),
  ),
]);
const messageSchema = v.union([
  v.looseObject({ role: v.string(), content: contentSchema }),
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

/** Where texts and complaints go. */
export interface Sink {
  /** Taken between rows. */
  readonly breath: Breath;
  readonly options: ReadOptions;
  readonly documents: Document[];
  /** An error. @param columns of which one is to be chosen */
  readonly trouble: (item: string, message: string, cure: string, columns?: readonly string[]) => void;
  /** A text of nothing, which is left out. */
  readonly empty: (item: string) => void;
}

/** @throws Reason for more cells than fit the memory */
export async function readCsv(path: string, text: string, sink: Sink): Promise<void> {
  const { trouble } = sink;
  const { column } = sink.options;
  const table = await parseTable(path, text, () => true, sink);
  await sink.breath.each(table.troubles, ({ line, message }) =>
    trouble(`${path}, line ${line}`, `${message}.`, 'Leave it out.'),
  );
  const wanted = column === '' ? columnOf(table, textNames) : table.columns.find((c) => c === column);
  const prompt = column === '' ? columnOf(table, promptNames) : undefined;
  const answer = column === '' ? columnOf(table, answerNames) : undefined;
  if (wanted === undefined && (prompt === undefined || answer === undefined)) {
    trouble(
      path,
      `it has no column ${column === '' ? 'text, nor prompt and completion' : `"${column}"`}; its columns are ${table.columns.join(', ') || 'none'}.`,
      'Say which is to be learned.',
      table.columns,
    );
    return;
  }
  await sink.breath.each(table.rows, ({ line, fields }) => {
    const name = `${path}, line ${line}`;
    if (prompt !== undefined && answer !== undefined)
      add(name, asked(fields.get(prompt) ?? ''), asked(fields.get(answer) ?? '', 'assistant'), sink, true);
    else addText(name, fields.get(wanted!) ?? '', sink);
  });
}

/** @throws Reason for more rows than fit the memory */
export async function readJson(path: string, text: string, sink: Sink): Promise<void> {
  const cells = new Cells();
  const list = /\.json$/i.test(path) ? await entriesIn(text, sink.breath) : null;
  if (list) {
    await sink.breath.each(list, (row, i) => {
      cells.add(1);
      readRow(`${path}, entry ${i + 1}`, row, sink);
    });
    return;
  }
  await sink.breath.each(linesIn(text), (line, i) => {
    if (line.trim() === '') return;
    cells.add(1);
    const row = parsed(line);
    const name = `${path}, line ${i + 1}`;
    if (row === undefined) sink.trouble(name, 'it is not JSON.', 'Leave it out.');
    else readRow(name, row, sink);
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

/** One message of a prompt or an answer. */
const asked = (content: string, role = 'user'): Message[] => [{ role, content }];

function readRow(name: string, row: unknown, sink: Sink): void {
  const { trouble } = sink;
  const { column } = sink.options;
  if (typeof row === 'string') {
    addText(name, row, sink);
    return;
  }
  if (!isRecord(row)) {
    trouble(name, 'it is neither an object nor a text.', 'Leave it out.');
    return;
  }
  const messages = (key: string): Message[] | null => {
    const read = v.safeParse(chatSchema, row[key]);
    if (!read.success)
      trouble(name, `its "${key}" is no list of messages with role and content.`, 'Leave it out.');
    return read.success ? read.output : null;
  };
  /** Messages at the first of the keys: a list, or one by `role`. Undefined: nothing is there; null: it is no list of messages. */
  const part = (names: readonly string[], role: string): Message[] | null | undefined => {
    const key = names.find((n) => typeof row[n] === 'string' || Array.isArray(row[n]));
    if (key === undefined) return undefined;
    const value = row[key];
    return typeof value === 'string' ? asked(value, role) : messages(key);
  };
  if (column === '') {
    const chat = chatNames.find((key) => row[key] !== undefined);
    if (chat !== undefined) {
      const read = messages(chat);
      if (read) add(name, read, [], sink);
      return;
    }
    const plain = (names: readonly string[]): boolean =>
      typeof row[names.find((n) => typeof row[n] === 'string' || Array.isArray(row[n])) ?? ''] === 'string';
    const prompt = part(promptNames, 'user');
    const answer = prompt === undefined ? undefined : part(answerNames, 'assistant');
    if (prompt !== undefined && answer !== undefined) {
      if (prompt && answer) add(name, prompt, answer, sink, plain(promptNames) && plain(answerNames));
      return;
    }
  }
  const names = column === '' ? textNames : [column];
  const text = names.map((key) => row[key]).find((x): x is string => typeof x === 'string');
  if (text !== undefined) addText(name, text, sink);
  else
    trouble(
      name,
      `it has no ${column === '' ? 'text, messages, or prompt and completion' : `"${column}"`}; it has ${Object.keys(row).slice(0, 8).join(', ') || 'nothing'}.`,
      'Say which is to be learned.',
      Object.keys(row),
    );
}

const isEmpty = (pieces: readonly Piece[]): boolean => pieces.every(({ text }) => text.trim() === '');

export function addText(name: string, text: string, sink: Sink): void {
  const pieces = [{ text, counted: true }];
  if (isEmpty(pieces)) sink.empty(name);
  else sink.documents.push({ name, pieces, frame: null, question: null });
}

/**
 * @param answer of a prompt: not to be empty. A chat has its answers in itself, and [] here
 * @param pair both came as plain texts
 */
function add(
  name: string,
  chat: readonly Message[],
  answer: readonly Message[],
  sink: Sink,
  pair = false,
): void {
  const empty = answer.length > 0 && answer.every(({ content }) => content.trim() === '');
  if (empty) sink.empty(name);
  else addChat(name, [...chat, ...answer], sink.options.framing.kindOf(pair), sink);
}

/** A chat as a text in a frame. */
export function addChat(name: string, messages: readonly Message[], frame: FrameKind, sink: Sink): void {
  const { options, documents, trouble } = sink;
  const { framing, all = false } = options;
  let pieces: Piece[];
  try {
    pieces = framed(messages, frame, framing, all);
  } catch (error) {
    trouble(name, `the model's chat template refuses it (${templateReason(error)}).`, templateCure(error));
    return;
  }
  const question = messages.find(({ role }) => role === 'user')?.content ?? null;
  if (isEmpty(pieces)) sink.empty(name);
  else documents.push({ name, pieces, frame, question });
}

/** Where everything is learned, answers need not be found. */
function framed(messages: readonly Message[], frame: FrameKind, framing: Framing, all: boolean): Piece[] {
  try {
    return framing.pieces(messages, frame);
  } catch (error) {
    if (!all) throw error;
    return framing.chats.pieces(messages, true);
  }
}
