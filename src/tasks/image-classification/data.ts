/** @file Labelled images: a folder for each class, or a table of files and labels. Everything wrong is collected. */
import { Breath } from '#src/platform/breath.ts';
import { PlainError, reasonOf } from '#src/platform/refusals.ts';
import { findImages } from '#src/tasks/images/list.ts';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import { byFolders } from '#src/tasks/classification/folders.ts';
import { labelColumns, LONGEST_LABEL, type Labelled } from '#src/tasks/classification/labels.ts';
import { columnOf, parseTable, type Table } from '#src/tasks/table.ts';
import { baseName, type FileSet, isHidden, stemOf } from '#src/tasks/files.ts';
import { TextFiles } from '#src/tasks/textFiles.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';

export interface LabelledImages {
  readonly images: readonly Labelled[];
  /** From val/, valid/, validation/ or test/ beside train/; null: the data have no such folder. */
  readonly heldout: readonly Labelled[] | null;
  readonly problems: readonly TaskProblem[];
}

const fileColumns = ['file_name', 'filename', 'file', 'image', 'image_path', 'path', 'image_id', 'id'];
const tableNames = /(^|\/)(metadata|labels|train|data|annotations)\.(csv|tsv|jsonl|ndjson)$/i;

/** Finds an image by what a table calls it: beside the table, anywhere under it, by its name, or by its name without extension. */
function finder(paths: readonly string[], folder: string): (name: string) => string | undefined {
  const byName = new Map<string, string[]>();
  for (const path of paths)
    for (const key of new Set(
      [baseName(path), stemOf(baseName(path))].flatMap((n) => [n, n.toLowerCase()]),
    )) {
      const alike = byName.get(key);
      if (alike) alike.push(path);
      else byName.set(key, [path]);
    }
  const known = new Set(paths);
  const exact = (clean: string, name: string): string | undefined => {
    const alike = byName.get(name) ?? [];
    const ending = alike.filter((p) => p.endsWith(`/${clean}`));
    if (ending.length === 1) return ending[0];
    return alike.length === 1 ? alike[0] : undefined;
  };
  return (name) => {
    const clean = name.replaceAll('\\', '/').replace(/^(\.?\/)+/, '');
    for (const path of [folder + clean, clean]) if (known.has(path)) return path;
    // Some systems tell D.PNG from d.png, others do not.
    return exact(clean, baseName(clean)) ?? exact(clean, baseName(clean).toLowerCase());
  };
}

async function fromTable(
  path: string,
  table: Table,
  paths: readonly string[],
  problems: TaskProblem[],
  breath: Breath,
): Promise<Labelled[]> {
  const wrong: TaskProblem[] = await breath.map(table.troubles, ({ line, message }) => ({
    severity: 'error',
    item: path,
    message: `${path}, row ${line}: ${message}.`,
    cure: 'Leave the row out.',
  }));
  const headed = !table.columns.every((c) => /^column \d+$/.test(c));
  const file = columnOf(table, fileColumns) ?? (headed ? undefined : table.columns[0]);
  const label = columnOf(table, labelColumns) ?? (headed ? undefined : table.columns[1]);
  if (file === undefined || label === undefined) {
    problems.push(
      ...shortened(wrong, 'wrong-row', (n) => `${path}: ${n} rows are wrong.`),
      ofKind('no-column', {
        severity: 'error',
        item: path,
        message: `${path} has no column for ${file === undefined ? 'the image file' : 'the label'}; its columns are ${table.columns.slice(0, 12).join(', ') || 'none'}.`,
        cure: 'Leave it out, and choose the class of each picture.',
      }),
    );
    return [];
  }
  const find = finder(paths, path.slice(0, path.lastIndexOf('/') + 1));
  const images: Labelled[] = [];
  const used = new Map<string, number>();
  await breath.each(table.rows, ({ line, fields }) => {
    const name = fields.get(file) ?? '';
    const text = fields.get(label) ?? '';
    const found = name === '' ? undefined : find(name);
    const twice = found === undefined ? undefined : used.get(found);
    const say = (message: string, cure: string): number =>
      wrong.push({ severity: 'error', item: path, message: `${path}, row ${line}: ${message}.`, cure });
    if (name === '') say('it names no file', 'Leave the row out.');
    else if (found === undefined)
      say(`there is no image "${name.slice(0, 200)}"`, 'Add the picture, or leave the row out.');
    else if (text === '') say(`${name} has no label`, 'Choose its class, or leave it out.');
    else if (text.length > LONGEST_LABEL)
      say(`the label of ${name} has ${text.length} characters`, 'Give its class a short name.');
    else if (twice !== undefined)
      say(`${name} has a label already, in row ${twice}`, 'Leave one of the rows out.');
    else {
      used.set(found, line);
      images.push({ path: found, label: text });
    }
  });
  problems.push(...shortened(wrong, 'wrong-row', (n) => `${path}: ${n} rows are wrong.`));
  const left = paths.filter((p) => !used.has(p)).length;
  if (left > 0 && images.length > 0)
    problems.push({
      severity: 'warning',
      item: path,
      message: `${left} of ${paths.length} images are not in ${path} and are left out.`,
    });
  return images;
}

/** Labels of all images of a set. Throws nothing: what is wrong is in `problems`. */
export async function readLabelled(files: FileSet, tell?: Tell): Promise<LabelledImages> {
  const found = await findImages(files);
  const { paths } = found;
  const problems: TaskProblem[] = [...found.problems];
  if (paths.length === 0)
    return {
      images: [],
      heldout: null,
      problems: [
        ...problems,
        ofKind('no-data', {
          severity: 'error',
          item: files.name,
          message: `There is no image in ${files.name}.`,
          cure: 'Add pictures of two classes at least: PNG, JPEG, WebP and others.',
        }),
      ],
    };
  const tables = files.paths.filter((p) => /\.(csv|tsv|jsonl|ndjson)$/i.test(p) && !isHidden(p));
  const named = tables.filter((p) => tableNames.test(p));
  const chosen = named.length > 0 ? named : tables;
  if (chosen.length === 0) {
    const folders = byFolders(paths, 'images', problems);
    return { images: folders.examples, heldout: folders.heldout, problems };
  }
  const images: Labelled[] = [];
  const source = new TextFiles(files);
  const breath = new Breath(() => tell?.(0, paths.length));
  const find = finder(paths, '');
  const isImage = (name: string): boolean => find(name) !== undefined;
  for (const path of chosen)
    try {
      const text = await source.text(path);
      const table = await parseTable(path, text, (first) => !first.some(isImage), { breath });
      for (const image of await fromTable(path, table, paths, problems, breath)) images.push(image);
    } catch (error) {
      if (!(error instanceof PlainError)) throw error;
      problems.push(
        ofKind('unread-list', {
          severity: 'error',
          item: path,
          message: `${path} cannot be read: ${reasonOf(error, 'its rows are of no known form')}.`,
          cure: 'Leave it out, and choose the class of each picture.',
        }),
      );
    }
  if (images.length === 0 && !problems.some((p) => p.severity === 'error'))
    problems.push(
      ofKind('unread-list', {
        severity: 'error',
        item: chosen[0]!,
        message: `${chosen.join(', ')}: there is no row with an image.`,
        cure: 'Leave it out, and choose the class of each picture.',
      }),
    );
  return { images, heldout: null, problems };
}
