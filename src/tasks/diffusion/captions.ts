/** @file Where an image's caption stands: in a .txt beside it, in metadata.jsonl or metadata.csv, else in its file name. */
import * as v from 'valibot';
import type { FileSet } from '#src/tasks/files.ts';
import { type DataProblem, problem } from './problems.ts';

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
/** The path without its extension. */
export const stemOf = (path: string): string => path.replace(/\.[^./]*$/, '');

const entrySchema = v.object({ file_name: v.pipe(v.string(), v.minLength(1)), text: v.string() });

/** Rows of comma-separated values (RFC 4180: quoted fields, doubled quotes, line breaks inside quotes). */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|\r|$)/gy;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    if (!match) throw new SyntaxError(`a quoted field in row ${rows.length + 1} does not end`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === ',' && field.lastIndex < text.length) continue;
    if (match[3] === ',') row.push('');
    rows.push(row);
    row = [];
  }
  return rows.filter((r) => r.length > 1 || r[0] !== '');
}

/** Entries of one metadata file, in the layout of 🤗 datasets' imagefolder, with the line that each stands on. */
function entriesOf(path: string, text: string): { line: number; entry: unknown }[] {
  if (path.endsWith('.csv')) {
    const [head, ...rows] = parseCsv(text);
    return rows.map((row, i) => ({
      line: i + 2,
      entry: Object.fromEntries((head ?? []).map((key, k) => [key.trim(), row[k]])),
    }));
  }
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ line: i + 1, text: line }))
    .filter(({ text: line }) => line.trim() !== '')
    .map(({ line, text: content }) => {
      try {
        return { line, entry: JSON.parse(content) as unknown };
      } catch {
        return { line, entry: undefined };
      }
    });
}

async function readText(files: FileSet, path: string): Promise<string> {
  return new TextDecoder().decode(await files.read(path)).replace(/^\uFEFF/, '');
}

export interface Caption {
  readonly text: string;
  /** Path of the file that holds it; null: made of the image's file name. */
  readonly source: string | null;
}

/** "red-apple_2.png" → "red apple 2". */
export const captionFromName = (path: string): string =>
  stemOf(baseName(path))
    .replace(/[-_\s]+/g, ' ')
    .trim();

/**
 * Captions by image path. What is wrong with the files that hold them is appended to `problems`.
 * @param images paths of the images, all in `files`
 */
export async function readCaptions(
  files: FileSet,
  prefix: string,
  images: readonly string[],
  problems: DataProblem[],
): Promise<Map<string, Caption>> {
  const captions = new Map<string, Caption>();
  const known = new Set(images);
  for (const path of files.paths) {
    if (!path.startsWith(prefix) || !/^metadata\.(jsonl|csv)$/.test(baseName(path))) continue;
    let entries: ReturnType<typeof entriesOf> = [];
    try {
      entries = entriesOf(path, await readText(files, path));
    } catch (error) {
      problems.push(problem('error', path, `${path} cannot be read: ${(error as Error).message}.`));
    }
    for (const { line, entry } of entries) {
      const parsed = v.safeParse(entrySchema, entry);
      if (!parsed.success) {
        problems.push(problem('error', path, `${path}, line ${line}: needs "file_name" and "text".`));
        continue;
      }
      const image = folderOf(path) + parsed.output.file_name;
      if (known.has(image)) captions.set(image, { text: parsed.output.text.trim(), source: path });
      else problems.push(problem('error', path, `${path}, line ${line}: ${image} is not in the folder.`));
    }
  }
  const texts = new Set(files.paths.filter((p) => p.endsWith('.txt')));
  for (const image of images) {
    const beside = `${stemOf(image)}.txt`;
    if (texts.has(beside))
      captions.set(image, { text: (await readText(files, beside)).trim(), source: beside });
    else if (!captions.has(image)) captions.set(image, { text: captionFromName(image), source: null });
  }
  return captions;
}
