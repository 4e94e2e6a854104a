/** @file Texts of a folder, from .txt, tables and JSON lines; all that is wrong is listed by file and line. */
import { Breath } from '#src/platform/breath.ts';
import { reasonOf, PlainError } from '#src/platform/refusals.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import { TextFiles } from '#src/tasks/textFiles.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';
import { exportsIn } from './chats/read.ts';
import type { ChatsSummary } from './chats/summary.ts';
import { addExports } from './exports.ts';
import { readCsv, readJson, type Sink } from './rows.ts';
import type { Document, ReadOptions } from './types.ts';

/** Files between two tellings. */
const TOLD = 64;
const FILES = /\.(txt|md|jsonl|ndjson|json|csv|tsv)$/i;
/** Files that tools put beside data. */
const BESIDE = /(^|\/)(readme[^/]*|licen[cs]e[^/]*|dataset_infos?\.json|files\.json)$/i;

export interface Read {
  readonly documents: Document[];
  readonly problems: TaskProblem[];
  /** What exports of chats hold; null: there are none. */
  readonly chats: ChatsSummary | null;
}

/**
 * All that can be read, and what is wrong with the rest.
 * @param tell told between rows and files; throwing from it ends the work
 */
export async function readDocuments(files: FileSet, options: ReadOptions, tell?: Tell): Promise<Read> {
  const documents: Document[] = [];
  const troubles: TaskProblem[] = [];
  const nameless: (TaskProblem & { readonly columns: readonly string[] })[] = [];
  const exports: Awaited<ReturnType<typeof exportsIn>> = options.voice ? await exportsIn(files) : new Map();
  const paths = files.paths.filter((p) => FILES.test(p) && !BESIDE.test(p) && !exports.has(p));
  const trouble: Sink['trouble'] = (item, message, cure, columns) => {
    const found: TaskProblem = { severity: 'error', item, message: `${item}: ${message}`, cure };
    if (columns) nameless.push({ ...found, columns });
    else troubles.push(found);
  };
  const empty: Sink['empty'] = (item) => {
    troubles.push({ severity: 'warning', item, message: `${item}: it is empty, and left out.` });
  };
  const source = new TextFiles(files);
  for (const [i, path] of paths.entries()) {
    const breath = new Breath(() => tell?.(i, paths.length));
    if (i % TOLD === 0) tell?.(i, paths.length);
    let bytes: Uint8Array;
    try {
      bytes = await source.bytes(path);
    } catch (error) {
      if (!(error instanceof PlainError)) throw error;
      trouble(path, `${reasonOf(error, 'it cannot be read')}.`, 'Leave it out, or take a part of it.');
      continue;
    }
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/^\uFEFF/, '');
    } catch {
      trouble(path, 'it is not UTF-8 text.', 'Leave it out.');
      continue;
    }
    if (/\.(txt|md)$/i.test(path)) {
      if (text.trim() === '') empty(path);
      else
        documents.push({
          name: path,
          pieces: [{ text: text.trim(), counted: true }],
          frame: null,
          question: null,
        });
    } else
      try {
        const sink = { options, documents, trouble, empty, breath };
        await (/\.(csv|tsv)$/i.test(path) ? readCsv : readJson)(path, text, sink);
      } catch (error) {
        if (!(error instanceof PlainError)) throw error;
        trouble(path, `${reasonOf(error, 'it cannot be read')}.`, 'Leave it out, or take a part of it.');
      }
  }
  let chats: ChatsSummary | null = null;
  const asked: TaskProblem[] = [];
  if (options.voice && exports.size > 0) {
    const breath = new Breath(() => tell?.(paths.length, paths.length + 1));
    const sink = { options, documents, trouble, empty, breath };
    const added = await addExports(files, exports, options.voice, sink);
    chats = added.summary;
    asked.push(...added.problems);
  }
  const nothing =
    asked.length === 0 && documents.length === 0 && troubles.length === 0 && nameless.length === 0
      ? [
          ofKind('no-data', {
            severity: 'error',
            item: files.name,
            message: `${files.name}: it holds no text.`,
            cure: 'Add some texts.',
          }),
        ]
      : [];
  const errors = troubles.filter((t) => t.severity === 'error');
  const warnings = troubles.filter((t) => t.severity === 'warning');
  return {
    documents,
    chats,
    problems: [
      ...nothing,
      ...asked,
      ...withoutColumn(nameless),
      ...shortened(errors, 'wrong-row', (n) => `${n} lines cannot be read.`),
      ...shortened(warnings, 'no-text', (n) => `${n} texts are empty, and left out.`),
    ],
  };
}

/** Rows in which nothing is known by its name, as one remark for each list of names: one choice mends them all. */
function withoutColumn(
  nameless: readonly (TaskProblem & { readonly columns: readonly string[] })[],
): TaskProblem[] {
  const byColumns = new Map<string, typeof nameless>();
  for (const each of nameless) {
    const key = each.columns.join('\n');
    byColumns.set(key, [...(byColumns.get(key) ?? []), each]);
  }
  return [...byColumns.values()].map((alike): TaskProblem => {
    const { columns, ...first } = alike[0]!;
    const more = alike.length > 1 ? ` ${alike.length - 1} more like it.` : '';
    const message = `${first.message}${more}`;
    return { ...first, message, group: { kind: 'no-column', words: message, items: columns } };
  });
}
