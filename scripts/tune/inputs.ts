/**
 * @file What a job's place on disk comes to: the exact files that the page may read. Hidden files, results of earlier runs, and links that lead
 * out of the folder are not among them.
 */
import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { externalEnds } from '#src/onnx/external.ts';
import { openModelFile } from '#src/onnx/open.ts';
import { isWithin, readMarker } from './output.mjs';

export interface InputFile {
  /** As the page sees it: below the place's name, with forward slashes. */
  readonly path: string;
  /** Real path on disk. */
  readonly file: string;
}

export interface Inputs {
  readonly files: readonly InputFile[];
  /** What was left out that a person may have meant, in sentences. */
  readonly notes: readonly string[];
}

/** What tells of a model's inputs, tokens and labels, and lies beside its file. */
const COMPANIONS = new Set([
  ...['config.json', 'generation_config.json', 'genai_config.json'],
  ...['preprocessor_config.json', 'processor_config.json'],
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['vocab.json', 'vocab.txt', 'merges.txt', 'spiece.model', 'tokenizer.model'],
  ...['chat_template.jinja', 'chat_template.json'],
  ...['labels.json', 'labels.txt', 'classes.txt'],
]);

/**
 * The folder that links may lead to from a named one: itself, and for a snapshot in a Hugging Face cache the repository around it
 * (`…/models--org--name/snapshots/REVISION/` holds links to `…/models--org--name/blobs/`).
 */
function roomAround(folder: string): string {
  const parts = folder.split(sep);
  const at = parts.lastIndexOf('snapshots');
  return at > 0 && parts.length > at + 1 ? parts.slice(0, at).join(sep) : folder;
}

/** The real file behind a name, if it is one, and within one of the rooms; else why not. */
function fileBehind(path: string, ...rooms: readonly string[]): { file: string } | { reason: string } | null {
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    return { reason: 'is a link that leads nowhere' };
  }
  const found = statSync(real);
  if (lstatSync(path).isSymbolicLink() && !rooms.some((room) => isWithin(room, real)))
    return { reason: `is a link out of the folder, to ${real}` };
  return found.isFile() ? { file: real } : null;
}

function folderInputs(named: string): Inputs {
  const folder = realpathSync(named);
  const room = roomAround(folder);
  const files: InputFile[] = [];
  const leftOut: string[] = [];
  const walk = (at: string, path: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue;
      const [whole, below] = [join(at, entry.name), path + entry.name];
      if (entry.isDirectory()) {
        // Pictures that a run drew are no data for the next one.
        if (readMarker(whole) === null) walk(whole, `${below}/`);
        continue;
      }
      const found = fileBehind(whole, room);
      if (found && 'file' in found) files.push({ path: below, file: found.file });
      else if (found) leftOut.push(`${below} ${found.reason}`);
      else if (entry.isSymbolicLink()) leftOut.push(`${below} is a link to a folder`);
    }
  };
  walk(folder, '');
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const [first] = leftOut;
  if (first === undefined) return { files, notes: [] };
  const others = leftOut.length > 1 ? `, and ${leftOut.length - 1} more such` : '';
  return {
    files,
    notes: [
      `Links are not followed out of ${basename(named)}: ${first}${others}. Copy what they lead to into the folder, or name the real folder.`,
    ],
  };
}

/** Locations of the weights that an ONNX file keeps in other files; none where it cannot be read, which the page will say. */
async function externalFiles(path: string): Promise<string[]> {
  const handle = openSync(path, 'r');
  try {
    const read = (offset: number, length: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(length);
      return Promise.resolve(bytes.subarray(0, readSync(handle, bytes, 0, length, offset)));
    };
    const model = await openModelFile(read, statSync(path).size);
    return [...externalEnds(model).keys()]
      .filter((location) => location !== '')
      .map((l) => l.replace(/^\.\//, ''));
  } catch {
    return [];
  } finally {
    closeSync(handle);
  }
}

async function fileInputs(named: string): Promise<Inputs> {
  // The person named this very file: where it leads is meant. What lies beside it counts from where it is named.
  const file = realpathSync(named);
  if (!named.toLowerCase().endsWith('.onnx')) return { files: [{ path: basename(named), file }], notes: [] };
  const folder = realpathSync(dirname(named));
  const room = roomAround(folder);
  const names = new Set([
    ...readdirSync(folder).filter((name) => COMPANIONS.has(name)),
    ...(await externalFiles(file)),
  ]);
  const files: InputFile[] = [{ path: basename(named), file }];
  const notes: string[] = [];
  for (const name of names) {
    if (!existsSync(join(folder, name))) continue;
    // Exports keep structure and weights side by side: beside the real file is as good.
    const found = fileBehind(join(folder, name), room, dirname(file));
    if (found && 'file' in found) files.push({ path: name, file: found.file });
    else if (found) notes.push(`${name} beside ${basename(named)} ${found.reason}; it is left out.`);
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, notes };
}

/** The files of a named folder, or a named file with what belongs to it. */
export const inputsOf = (place: string): Promise<Inputs> =>
  statSync(place).isFile() ? fileInputs(place) : Promise.resolve(folderInputs(place));
