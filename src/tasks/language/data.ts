/** @file Texts of a folder, from .txt, tables and JSON lines; all that is wrong is listed by file and line. */
import type { FileSet } from '#src/tasks/files.ts';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { readCsv, readJson } from './rows.ts';
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
      else
        documents.push({
          name: path,
          pieces: [{ text: text.trim(), counted: true }],
          frame: null,
          question: null,
        });
    } else (/\.(csv|tsv)$/i.test(path) ? readCsv : readJson)(path, text, { options, documents, trouble });
  }
  const nothing = (what: string): TaskProblem[] => [
    ofKind('no-data', { severity: 'error', item: files.name, message: `${files.name}: ${what}` }),
  ];
  const empty =
    paths.length === 0
      ? nothing('it holds no text: no .txt, .jsonl, .csv or .tsv file. Add one.')
      : documents.length === 0 && troubles.length === 0
        ? nothing('it holds no text. Add some.')
        : [];
  const errors = troubles.filter((t) => t.severity === 'error');
  const warnings = troubles.filter((t) => t.severity === 'warning');
  return {
    documents,
    problems: [
      ...empty,
      ...shortened(errors, 'wrong-row', (n) => `${n} lines cannot be read.`),
      ...shortened(warnings, 'no-text', (n) => `${n} texts are empty, and left out.`),
    ],
  };
}
