/**
 * @file Where an image's caption stands: in a text file beside it, in a metadata file, in the name of a kohya folder (10_red robot), else in
 * its own name.
 */
import { Breath } from '#src/platform/breath.ts';
import { PlainError, reasonOf } from '#src/platform/refusals.ts';
import { baseName, type FileSet, isHidden, stemOf } from '#src/tasks/files.ts';
import { namesOf } from '#src/tasks/images/foreign.ts';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import { columnOf, parseTable } from '#src/tasks/table.ts';
import { captionText, TextFiles } from '#src/tasks/textFiles.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';
import { problem } from './problems.ts';

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** 🤗 datasets' imagefolder has file_name; people write the others. */
const fileColumns = ['file_name', 'filename', 'file', 'image', 'path'];
const captionColumns = ['text', 'caption', 'captions', 'prompt', 'description'];

const METADATA = /(^|\/)metadata\.(jsonl|ndjson|csv|tsv)$/i;
/** Endings of caption files; sd-scripts reads .caption where nothing else is said, and most people write .txt. */
const BESIDE = ['.txt', '.caption'];
const CAPTION = /\.(txt|caption)$/i;
/** Texts that lie in many folders and are no captions. */
const NO_CAPTION =
  /(^|\/)(readme|licen[cs]e|notice|copying|requirements|classes|labels|prompts?|notes?|captions?|metadata|tags|changelog|todo)[^/]*$/i;
/** sd-scripts' folders: how often an image is shown per epoch, and what it shows. */
const KOHYA = /^(\d{1,4})_(.+)$/;

export interface Caption {
  readonly text: string;
  /** Path of the file or folder that holds it; null: made of the image's file name. */
  readonly source: string | null;
}

const words = (name: string): string => name.replace(/[-_\s]+/g, ' ').trim();

/** "red-apple_2.png" → "red apple 2". */
export const captionFromName = (path: string): string => words(stemOf(baseName(path)));

/** What the innermost folder of an image says, if it is named as sd-scripts wants it: "10_red robot". */
export function kohyaFolder(path: string): { readonly repeats: number; readonly caption: string } | null {
  const found = KOHYA.exec(baseName(folderOf(path).slice(0, -1)));
  const repeats = Number(found?.[1] ?? 0);
  return found && repeats > 0 ? { repeats, caption: words(found[2]!) } : null;
}

/** Captions of one metadata file; what is wrong with its rows comes back as problems. Throws Error with the reason if it cannot be read. */
async function fromMetadata(
  source: TextFiles,
  path: string,
  known: ReadonlyMap<string, string>,
  captions: Map<string, Caption>,
  breath: Breath,
): Promise<TaskProblem[]> {
  const table = await parseTable(path, await source.text(path), () => true, { breath });
  const wrong = await breath.map(table.troubles, ({ line, message }) =>
    problem('error', path, `${path}, row ${line}: ${message}.`, 'Leave the row out.'),
  );
  const file = columnOf(table, fileColumns);
  const text = columnOf(table, captionColumns);
  if (file === undefined || text === undefined) {
    if (table.rows.length > 0)
      wrong.push(
        ofKind(
          'no-column',
          problem(
            'error',
            path,
            `${path} has no column for ${file === undefined ? 'the image file' : 'the caption'}; its columns are ${table.columns.slice(0, 12).join(', ') || 'none'}.`,
            'Leave it out, and say of each picture what it shows.',
          ),
        ),
      );
    return wrong;
  }
  await breath.each(table.rows, ({ line, fields }) => {
    const [name, caption] = [fields.get(file), fields.get(text)];
    if (!name || caption === undefined) {
      wrong.push(
        problem(
          'error',
          path,
          `${path}, row ${line}: it needs "${file}" and "${text}".`,
          'Leave the row out.',
        ),
      );
      return;
    }
    const image = folderOf(path) + name.replaceAll('\\', '/').replace(/^(\.\/)+/, '');
    const there = known.get(image) ?? known.get(image.toLowerCase());
    if (there !== undefined) captions.set(there, { text: caption.trim(), source: path });
    else
      wrong.push(
        problem(
          'error',
          path,
          `${path}, row ${line}: ${image.slice(0, 200)} is not in the folder.`,
          'Add the picture, or leave the row out.',
        ),
      );
  });
  return wrong;
}

/** Paths by themselves and, where systems that tell D.TXT from d.txt leave no other, by their lower-case form. */
function anyCase(paths: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) if (!found.has(path.toLowerCase())) found.set(path.toLowerCase(), path);
  for (const path of paths) found.set(path, path);
  return found;
}

/** The first of the paths with each key. */
function firstOf(paths: readonly string[], key: (path: string) => string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) if (!found.has(key(path))) found.set(key(path), path);
  return found;
}

/** A caption file's lines that say something. */
const linesOf = (text: string): string[] => text.split(/\r\n?|\n/).filter((line) => line.trim() !== '');

/** What is said of caption files as a whole: of several lines, or without a picture. */
function fileProblems(
  files: FileSet,
  prefix: string,
  used: ReadonlySet<string>,
  long: readonly string[],
  lines: 'all' | 'first',
): TaskProblem[] {
  const problems: TaskProblem[] = [];
  if (long.length > 0 && lines === 'all')
    problems.push({
      ...problem(
        'warning',
        long[0]!,
        `${long.length} ${long.length > 1 ? 'captions have' : 'caption has'} several lines, which are read as one text: ${namesOf(long)}. Other trainers (sd-scripts) read the first line only.`,
        'Nothing, if that is meant. Else let the first line alone count.',
      ),
      mend: { words: 'Read first lines only', options: { captionLines: 'first' } },
    });
  const folders = new Set([...used].map(folderOf));
  const alone = files.paths.filter(
    (path) =>
      path.startsWith(prefix) &&
      CAPTION.test(path) &&
      !isHidden(path) &&
      !used.has(path) &&
      !NO_CAPTION.test(path) &&
      folders.has(folderOf(path)),
  );
  if (alone.length > 0)
    problems.push(
      problem(
        'warning',
        alone[0]!,
        `${alone.length} ${alone.length > 1 ? 'caption files have' : 'caption file has'} no picture of the same name and ${alone.length > 1 ? 'are' : 'is'} left out: ${namesOf(alone)}.`,
        'Add the picture that it is for, or nothing, if it is for none.',
      ),
    );
  return problems;
}

/**
 * Captions by image path. What is wrong with the files that hold them is appended to `problems`.
 * @param images paths of the images, all in `files`
 * @param lines of caption files: all of them as one text, or the first that says something
 */
export async function readCaptions(
  files: FileSet,
  prefix: string,
  images: readonly string[],
  problems: TaskProblem[],
  lines: 'all' | 'first' = 'all',
  tell?: Tell,
): Promise<Map<string, Caption>> {
  const source = new TextFiles(files);
  const breath = new Breath(() => tell?.(0, images.length));
  const captions = new Map<string, Caption>();
  const known = anyCase(images);
  const reason = (error: unknown): string => reasonOf(error, 'its rows are of no known form');
  for (const path of files.paths) {
    if (!path.startsWith(prefix) || !METADATA.test(path) || isHidden(path)) continue;
    try {
      const wrong = await fromMetadata(source, path, known, captions, breath);
      problems.push(...shortened(wrong, 'wrong-row', (n) => `${path}: ${n} rows are wrong.`));
    } catch (error) {
      if (!(error instanceof PlainError)) throw error;
      problems.push(
        ofKind(
          'unread-list',
          problem('error', path, `${path} cannot be read: ${reason(error)}.`, 'Leave it out.'),
        ),
      );
    }
  }
  const texts = files.paths.filter((path) => CAPTION.test(path) && !isHidden(path));
  const lowered = (path: string): string => stemOf(path) + path.slice(stemOf(path).length).toLowerCase();
  const byStem = firstOf(texts, lowered);
  const byName = firstOf(texts, (path) => path.toLowerCase());
  const used = new Set<string>();
  const long: string[] = [];
  for (const image of images) {
    if (breath.due) await breath.take();
    // cat.jpg.txt is of cat.jpg alone; cat.txt may be of cat.png, too.
    const names = BESIDE.flatMap((ending) => [image + ending, stemOf(image) + ending]);
    const found = names.flatMap((name) => byStem.get(name) ?? []);
    if (found.length === 0) found.push(...names.flatMap((name) => byName.get(name.toLowerCase()) ?? []));
    const [beside, ...passed] = found;
    passed.forEach((path) => used.add(path));
    if (beside !== undefined) {
      const first = !used.has(beside);
      used.add(beside);
      try {
        const text = (await captionText(files, beside)).trim();
        const several = linesOf(text);
        if (first && several.length > 1) long.push(beside);
        captions.set(image, {
          text: lines === 'first' ? (several[0] ?? '').trim() : text,
          source: beside,
        });
        continue;
      } catch (error) {
        if (!(error instanceof PlainError)) throw error;
        problems.push(
          ofKind(
            'unread-list',
            problem(
              'error',
              beside,
              `${beside} cannot be read: ${reason(error)}.`,
              'Leave it out, and say what its picture shows.',
            ),
          ),
        );
      }
    }
    if (captions.has(image)) continue;
    const folder = kohyaFolder(image);
    captions.set(image, {
      text: folder?.caption ?? captionFromName(image),
      source: folder && folderOf(image),
    });
  }
  problems.push(...fileProblems(files, prefix, used, long, lines));
  return captions;
}
