/** @file Labelled texts: tables with a text and a label a row, or a folder of .txt files for each class. Everything wrong is collected. */
import { Breath } from '#src/platform/breath.ts';
import { PlainError, reasonOf } from '#src/platform/refusals.ts';
import { byFolders, heldoutName, trainName } from '#src/tasks/classification/folders.ts';
import { LONGEST_LABEL } from '#src/tasks/classification/labels.ts';
import { type FileSet, isHidden, stemOf } from '#src/tasks/files.ts';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import { parseTable, type Table } from '#src/tasks/table.ts';
import { TextFiles } from '#src/tasks/textFiles.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';
import { type ColumnOptions, findColumns, namesColumns } from './columns.ts';

export interface LabelledText {
  /** "reviews.csv, row 4" */
  readonly name: string;
  readonly text: string;
  /** The second of two texts; null: there is one. */
  readonly pair: string | null;
  readonly label: string;
}

export interface LabelledTexts {
  readonly texts: readonly LabelledText[];
  /** From files or folders named val, valid, validation, dev or test beside the others; null: there are none. */
  readonly heldout: readonly LabelledText[] | null;
  readonly problems: readonly TaskProblem[];
}

const TABLE = /\.(csv|tsv|jsonl|ndjson|json)$/i;
/** Files that tools put beside data. */
const BESIDE = /(^|\/)(readme[^/]*|licen[cs]e[^/]*|dataset_infos?\.json|files\.json)$/i;

const error = (item: string, message: string, cure?: string): TaskProblem => ({
  severity: 'error',
  item,
  message: `${item}: ${message}`,
  ...(cure && { cure }),
});

/** What is made of a file, or what is wrong with it. */
async function madeOf<T>(path: string, make: () => Promise<T>): Promise<{ readonly made: T } | TaskProblem> {
  try {
    return { made: await make() };
  } catch (cause) {
    if (!(cause instanceof PlainError)) throw cause;
    return error(path, `${reasonOf(cause, 'it cannot be read')}.`, 'Leave it out, or take a part of it.');
  }
}

/** The rows of a table. */
async function fromTable(
  path: string,
  table: Table,
  options: ColumnOptions,
  problems: TaskProblem[],
  breath: Breath,
): Promise<LabelledText[]> {
  const errors = await breath.map(table.troubles, ({ line, message }) =>
    error(`${path}, row ${line}`, `${message}.`, 'Leave the row out.'),
  );
  const columns = findColumns(table, options);
  if (typeof columns === 'string') {
    problems.push(...shortened(errors, 'wrong-row', (n) => `${path}: ${n} rows are wrong.`), {
      ...error(
        path,
        `it has ${columns}; its columns are ${table.columns.slice(0, 12).join(', ') || 'none'}.`,
        'Say which holds the text, and which the label.',
      ),
      group: {
        kind: 'no-column',
        words: `${path}: it has ${columns}.`,
        items: table.columns,
      },
    });
    return [];
  }
  const warnings: TaskProblem[] = [];
  const unlabelled: TaskProblem[] = [];
  const texts: LabelledText[] = [];
  await breath.each(table.rows, ({ line, fields }) => {
    const name = `${path}, row ${line}`;
    const text = fields.get(columns.text) ?? '';
    const label = fields.get(columns.label) ?? '';
    const pair = columns.pair === null ? null : (fields.get(columns.pair) ?? '');
    if (text === '' || pair === '')
      warnings.push({
        severity: 'warning',
        item: name,
        message: `${name}: it has no ${text === '' ? 'text' : 'second text'}, and is left out.`,
      });
    else if (label === '') unlabelled.push(error(name, 'it has no label.', 'Give it one, or leave it out.'));
    else if (label.length > LONGEST_LABEL)
      errors.push(error(name, `its label has ${label.length} characters.`, 'Give its class a short name.'));
    else texts.push({ name, text, pair, label });
  });
  problems.push(
    ...shortened(errors, 'wrong-row', (n) => `${path}: ${n} rows are wrong.`),
    ...shortened(unlabelled, 'no-label', (n) => `${path}: ${n} rows have no label.`),
    ...shortened(warnings, 'no-text', (n) => `${path}: ${n} rows lack a text.`),
  );
  return texts;
}

/** Tables to learn from and, by their names or folders, to judge by; the test's are left alone where others judge. */
function splitTables(paths: readonly string[]): { readonly train: string[]; readonly heldout: string[] } {
  const words = (path: string): string[] => path.split('/').flatMap((part) => stemOf(part).split(/[-_.]/));
  const kept = paths.filter(
    (p) => !words(p).some((w) => trainName.test(w)) && words(p).some((w) => heldoutName.test(w)),
  );
  const train = paths.filter((p) => !kept.includes(p));
  if (train.length === 0) return { train: [...paths], heldout: [] };
  const validation = kept.filter((p) => !words(p).some((w) => /^test$/i.test(w)));
  return { train, heldout: validation.length > 0 ? validation : kept };
}

/**
 * Labels of all texts of a set. Throws nothing: what is wrong is in `problems`.
 * @param tell told between rows and files, too; throwing from it ends the work
 */
export async function readLabelledTexts(
  files: FileSet,
  options: ColumnOptions,
  tell?: Tell,
): Promise<LabelledTexts> {
  const problems: TaskProblem[] = [];
  const source = new TextFiles(files);
  const seen = files.paths.filter((p) => !isHidden(p) && !BESIDE.test(p));
  const tables = seen.filter((p) => TABLE.test(p));
  if (tables.length > 0) {
    const read = async (paths: readonly string[]): Promise<LabelledText[]> => {
      const all: LabelledText[] = [];
      for (const [i, path] of paths.entries()) {
        const breath = new Breath(() => tell?.(i, paths.length));
        const read = await madeOf(path, async () =>
          parseTable(path, await source.text(path), namesColumns(options), { breath }),
        );
        if (!('made' in read)) problems.push(read);
        else for (const text of await fromTable(path, read.made, options, problems, breath)) all.push(text);
      }
      return all;
    };
    const split = splitTables(tables);
    const texts = await read(split.train);
    const heldout = split.heldout.length > 0 ? await read(split.heldout) : null;
    if (texts.length === 0 && !problems.some((p) => p.severity === 'error'))
      problems.push(
        ofKind('no-data', error(split.train.join(', '), 'there is no row with a text.', 'Add some texts.')),
      );
    return { texts, heldout, problems };
  }
  const paths = seen.filter((p) => /\.txt$/i.test(p));
  if (paths.length === 0) {
    const cure = 'Add texts of two classes at least.';
    return {
      texts: [],
      heldout: null,
      problems: [ofKind('no-data', error(files.name, 'there is no text in it.', cure))],
    };
  }
  return { ...(await fromFolders(source, paths, problems, tell)), problems };
}

/** Files between two tellings. */
const TOLD = 64;

/** Text files whose folder is their class. */
async function fromFolders(
  source: TextFiles,
  paths: readonly string[],
  problems: TaskProblem[],
  tell?: Tell,
): Promise<Omit<LabelledTexts, 'problems'>> {
  const labelled = byFolders(paths, 'texts', problems);
  const unreadable: TaskProblem[] = [];
  const empty: TaskProblem[] = [];
  const read = async (examples: typeof labelled.examples): Promise<LabelledText[]> => {
    const texts: LabelledText[] = [];
    for (const [i, { path, label }] of examples.entries()) {
      if (i % TOLD === 0) tell?.(i, examples.length);
      const read = await madeOf(path, () => source.text(path));
      if (!('made' in read)) unreadable.push(read);
      else if (read.made.trim() === '')
        empty.push({ severity: 'warning', item: path, message: `${path}: it is empty, and left out.` });
      else texts.push({ name: path, text: read.made.trim(), pair: null, label });
    }
    return texts;
  };
  const texts = await read(labelled.examples);
  const heldout = labelled.heldout && (await read(labelled.heldout));
  problems.push(
    ...shortened(unreadable, 'unreadable', (n) => `${n} files cannot be read.`),
    ...shortened(empty, 'no-text', (n) => `${n} files are empty.`),
  );
  return { texts, heldout };
}

/** Texts that are there more than once, and those of them that are labelled in two ways. */
export async function repeatedTexts(texts: readonly LabelledText[], breath: Breath): Promise<TaskProblem[]> {
  const first = new Map<string, LabelledText>();
  const twins: TaskProblem[] = [];
  const torn: TaskProblem[] = [];
  await breath.each(texts, (t) => {
    const key = JSON.stringify([t.text, t.pair]);
    const before = first.get(key);
    if (!before) first.set(key, t);
    else if (before.label === t.label)
      twins.push({
        severity: 'warning',
        item: t.name,
        message: `${t.name} is the same text as ${before.name}: it counts twice.`,
      });
    else
      torn.push({
        severity: 'warning',
        item: t.name,
        message: `${t.name} has the label "${t.label}", the same text in ${before.name} the label "${before.label}".`,
        cure: 'Keep the row that is right.',
      });
  });
  return [
    ...shortened(torn, 'two-labels', (n) => `${n} texts have two labels.`),
    ...shortened(twins, 'twice', (n) => `${n} texts are there twice.`),
  ];
}
