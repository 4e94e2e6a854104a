/** @file Pairs of pictures: two folders with equal names, or a table with two columns. Everything wrong is collected. */
import { Breath } from '#src/platform/breath.ts';
import { PlainError, reasonOf } from '#src/platform/refusals.ts';
import { findImages } from '#src/tasks/images/list.ts';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import { columnOf, parseTable } from '#src/tasks/table.ts';
import { type FileSet, isHidden, stemOf } from '#src/tasks/files.ts';
import { TextFiles } from '#src/tasks/textFiles.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';

export interface Pair {
  readonly input: string;
  readonly target: string;
}

const inputWords = ['input', 'inputs', 'source', 'sources', 'before', 'x', 'a', 'condition', 'conditioning'];
const targetWords = ['target', 'targets', 'output', 'outputs', 'after', 'y', 'b', 'edited', 'ground_truth'];
const inputColumns = [
  'input',
  'input_file_name',
  'input_image',
  'source',
  'conditioning_image',
  'x',
  'file_name',
];
const targetColumns = [
  'target',
  'target_file_name',
  'target_image',
  'output',
  'edited_image',
  'y',
  'image',
  'text',
];

const error = (item: string, message: string, cure?: string): TaskProblem => ({
  severity: 'error',
  item,
  message,
  ...(cure !== undefined && { cure }),
});

/** The side that the path's outermost folder of such a name says, and the path without that name and without extension. */
export function sideOf(path: string): { readonly side: 0 | 1; readonly key: string } | null {
  const parts = path.split('/');
  const words = [inputWords, targetWords];
  const at = parts.slice(0, -1).findIndex((p) => words.some((list) => list.includes(p.toLowerCase())));
  if (at < 0) return null;
  const side = inputWords.includes(parts[at]!.toLowerCase()) ? 0 : 1;
  return { side, key: stemOf([...parts.slice(0, at), '', ...parts.slice(at + 1)].join('/')) };
}

function fromFolders(files: FileSet, paths: readonly string[], problems: TaskProblem[]): Pair[] {
  const sides = [new Map<string, string>(), new Map<string, string>()] as const;
  for (const path of paths) {
    const found = sideOf(path);
    if (!found) continue;
    const other = sides[found.side].get(found.key);
    if (other === undefined) sides[found.side].set(found.key, path);
    else problems.push(error(path, `${other} and ${path} have the same name.`, 'Take one of them out.'));
  }
  const [inputs, targets] = sides;
  if (inputs.size === 0 || targets.size === 0) {
    problems.push(
      ofKind(
        'no-sides',
        error(
          files.name,
          `${files.name}: nothing says which pictures are ${inputs.size === 0 ? 'inputs' : 'wanted'}.`,
          `Add the ${inputs.size === 0 ? 'inputs' : 'wanted pictures'}.`,
        ),
      ),
    );
    return [];
  }
  const alone = (side: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>, lacks: string) =>
    [...side].flatMap(([key, path]) =>
      other.has(key) ? [] : [error(path, `${path} has no ${lacks}.`, `Add its ${lacks}, or take it out.`)],
    );
  problems.push(
    ...shortened(
      alone(inputs, targets, 'wanted picture'),
      'no-target',
      (n) => `${n} inputs have no wanted picture.`,
    ),
    ...shortened(alone(targets, inputs, 'input'), 'no-input', (n) => `${n} wanted pictures have no input.`),
  );
  return [...inputs].flatMap(([key, input]) => {
    const target = targets.get(key);
    return target === undefined ? [] : [{ input, target }];
  });
}

async function fromTable(
  source: TextFiles,
  path: string,
  known: ReadonlyMap<string, string>,
  problems: TaskProblem[],
  breath: Breath,
): Promise<Pair[]> {
  const table = await parseTable(path, await source.text(path), () => true, { breath });
  const wrong = await breath.map(table.troubles, ({ line, message }) =>
    error(path, `${path}, row ${line}: ${message}.`, 'Leave the row out.'),
  );
  const from = columnOf(table, inputColumns);
  const to = columnOf(
    table,
    targetColumns.filter((name) => name !== from),
  );
  const pairs: Pair[] = [];
  if (from === undefined || to === undefined)
    wrong.push(
      error(
        path,
        `${path} has no column for ${from === undefined ? 'the input' : 'the target'}; its columns are ${table.columns.slice(0, 12).join(', ') || 'none'}.`,
        'Leave it out, and pair the pictures here.',
      ),
    );
  else {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    await breath.each(table.rows, ({ line, fields }) => {
      const [input, target] = [from, to].map((column) => {
        const name = fields.get(column) ?? '';
        const found = [folder + name, name].flatMap(
          (p) => known.get(p) ?? known.get(p.toLowerCase()) ?? [],
        )[0];
        if (found === undefined)
          wrong.push(
            error(
              path,
              `${path}, row ${line}: ${name === '' ? `it has no ${column}` : `there is no image "${name.slice(0, 200)}"`}.`,
              'Add the picture, or leave the row out.',
            ),
          );
        return found;
      });
      if (input !== undefined && target !== undefined) pairs.push({ input, target });
    });
  }
  problems.push(...shortened(wrong, 'wrong-row', (n) => `${path}: ${n} rows are wrong.`));
  return pairs;
}

/** The pairs of a set, in the order of their inputs. Throws nothing: what is wrong is appended to `problems`. */
export async function readPairs(files: FileSet, problems: TaskProblem[], tell?: Tell): Promise<Pair[]> {
  const { paths, problems: others } = await findImages(files);
  problems.push(...others);
  const tables = files.paths.filter(
    (p) => /(^|\/)(metadata|pairs)\.(csv|tsv|jsonl|ndjson)$/i.test(p) && !isHidden(p),
  );
  if (tables.length === 0) return fromFolders(files, paths, problems);
  // Some systems tell D.PNG from d.png, others do not: the exact name comes first.
  const known = new Map([
    ...paths.map((p) => [p.toLowerCase(), p] as const),
    ...paths.map((p) => [p, p] as const),
  ]);
  const pairs: Pair[] = [];
  const source = new TextFiles(files);
  const breath = new Breath(() => tell?.(0, paths.length));
  for (const path of tables)
    try {
      for (const pair of await fromTable(source, path, known, problems, breath)) pairs.push(pair);
    } catch (reason) {
      if (!(reason instanceof PlainError)) throw reason;
      problems.push(
        ofKind(
          'unread-list',
          error(
            path,
            `${path} cannot be read: ${reasonOf(reason, 'its rows are of no known form')}.`,
            'Leave it out, and pair the pictures here.',
          ),
        ),
      );
    }
  if (pairs.length === 0 && !problems.some((p) => p.severity === 'error'))
    problems.push(
      ofKind(
        'unread-list',
        error(
          tables[0]!,
          `${tables.join(', ')}: there is no row with a pair.`,
          'Leave it out, and pair the pictures here.',
        ),
      ),
    );
  return pairs;
}
