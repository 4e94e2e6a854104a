/** @file Texts of a folder, from .txt, tables and JSON lines; all that is wrong is listed by file and line. */
import type { FileSet } from '#src/tasks/files.ts';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { readCsv, readJson, type Sink } from './rows.ts';
import type { Document, ReadOptions } from './types.ts';

/** Larger files are no texts that a browser should take apart at once. */
const LARGEST = 2 ** 28;
const FILES = /\.(txt|md|jsonl|ndjson|json|csv|tsv)$/i;
/** Files that tools put beside data. */
const BESIDE = /(^|\/)(readme[^/]*|licen[cs]e[^/]*|dataset_infos?\.json|files\.json)$/i;

export async function readDocuments(
  files: FileSet,
  options: ReadOptions,
): Promise<{ readonly documents: Document[]; readonly problems: TaskProblem[] }> {
  const documents: Document[] = [];
  const troubles: TaskProblem[] = [];
  const nameless: (TaskProblem & { readonly columns: readonly string[] })[] = [];
  const paths = files.paths.filter((p) => FILES.test(p) && !BESIDE.test(p));
  const trouble: Sink['trouble'] = (item, message, cure, columns) => {
    const found: TaskProblem = { severity: 'error', item, message: `${item}: ${message}`, cure };
    if (columns) nameless.push({ ...found, columns });
    else troubles.push(found);
  };
  const empty: Sink['empty'] = (item) => {
    troubles.push({ severity: 'warning', item, message: `${item}: it is empty, and left out.` });
  };
  for (const path of paths) {
    if ((await files.size(path)) > LARGEST) {
      trouble(path, 'it is larger than 256 MB.', 'Take it out, or add it in parts.');
      continue;
    }
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(await files.read(path)).replace(/^\uFEFF/, '');
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
      (/\.(csv|tsv)$/i.test(path) ? readCsv : readJson)(path, text, {
        ...{ options, documents, trouble, empty },
      });
  }
  const nothing =
    documents.length === 0 && troubles.length === 0 && nameless.length === 0
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
    problems: [
      ...nothing,
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
