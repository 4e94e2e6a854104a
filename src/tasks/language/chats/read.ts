/** @file Exports among the files of a data set, told by what is in them, and what was said in them. */
import { Breath } from '#src/platform/breath.ts';
import { apartWords, MOST_CHATS } from '#src/platform/limits.ts';
import { PlainError, Reason, reasonOf } from '#src/platform/refusals.ts';
import type { FileSet } from '#src/tasks/files.ts';
import * as formats from './formats.ts';
import { beginningOf, eachPiece } from './pieces.ts';
import type { ChatFormat, Timing, Turn } from './types.ts';

/** Files that may be exports. */
const FILES = /(?:\.(?:txt|md|json|jsonl|ndjson|csv|tsv|mbox|mbx)|(?:^|\/)mbox)$/i;

export const isExportPath = (path: string): boolean => FILES.test(path);

/** The format of a file that begins so; null: it is no export. */
export const formatOf = (beginning: string, path: string): ChatFormat | null =>
  Object.values(formats).find(({ fits }) => fits(beginning, path)) ?? null;

/** The exports among a set's files. */
export async function exportsIn(files: FileSet): Promise<ReadonlyMap<string, ChatFormat>> {
  const found = new Map<string, ChatFormat>();
  for (const path of files.paths) {
    if (!isExportPath(path)) continue;
    const format = formatOf(await beginningOf(files, path), path);
    if (format) found.set(path, format);
  }
  return found;
}

/** What one file holds. */
export interface ChatFile {
  readonly path: string;
  readonly format: ChatFormat;
  /** Texts that somebody said, in the order of the file. */
  readonly turns: readonly Turn[];
  /** What was left out, by kind. */
  readonly left: { readonly media: number; readonly system: number; readonly forwarded: number };
}

export interface ChatTrouble {
  readonly path: string;
  /** "line 4"; '': it is the whole file. */
  readonly at: string;
  readonly why: string;
}

/** Complaints of a file beyond which they are only more of the same. */
const MOST_TROUBLES = 1000;

/**
 * Reads exports one after another.
 * @param troubles gets what cannot be read
 * @throws what the breath throws
 */
export async function readExports(
  files: FileSet,
  found: ReadonlyMap<string, ChatFormat>,
  troubles: ChatTrouble[],
  breath: Breath = new Breath(),
): Promise<ChatFile[]> {
  const read: ChatFile[] = [];
  let bytes = 0;
  for (const [path, format] of found)
    try {
      bytes += await files.size(path);
      if (bytes > MOST_CHATS) {
        const [size, most] = apartWords(bytes, MOST_CHATS);
        throw new Reason(`with it the exports come to ${size}; up to ${most} are read in all`);
      }
      read.push(await readExport(files, path, format, troubles, breath));
    } catch (error) {
      if (!(error instanceof PlainError)) throw error;
      troubles.push({ path, at: '', why: reasonOf(error, 'it cannot be read') });
    }
  return read;
}

async function readExport(
  files: FileSet,
  path: string,
  format: ChatFormat,
  troubles: ChatTrouble[],
  breath: Breath,
): Promise<ChatFile> {
  const turns: Turn[] = [];
  const left = { media: 0, system: 0, forwarded: 0 };
  const names = new Map<string, string>();
  /** One text for all turns of a name. */
  const shared = (name: string): string => {
    const known = names.get(name);
    if (known === undefined) names.set(name, name);
    return known ?? name;
  };
  let complaints = 0;
  const reader = format.reader(
    {
      say: (turn) => {
        const { speaker, chat, kind } = turn;
        if (kind !== 'text') left[kind]++;
        else if (speaker === null && !format.notes) left.system++;
        else turns.push({ ...turn, chat: shared(chat), speaker: speaker === null ? null : shared(speaker) });
      },
      skip: (at, why) => {
        if (complaints++ < MOST_TROUBLES) troubles.push({ path, at, why });
      },
    },
    path,
  );
  await eachPiece(files, path, format.bytes === true, breath, (piece) => reader.push(piece));
  const timing = reader.end();
  if (timing) await setTimes(turns, timing, breath);
  return { path, format, left, turns };
}

/** In their place: twice as many as there are would not fit. */
async function setTimes(turns: Turn[], timing: Timing, breath: Breath): Promise<void> {
  await breath.each(turns.keys(), (i) => {
    const turn = turns[i]!;
    if (turn.time !== null) turns[i] = { ...turn, time: timing(turn.time) };
  });
}
