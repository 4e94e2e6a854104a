/** @file What was said as conversations: one ends where nobody says anything for hours; what somebody says at a stretch is one text. */
import { Breath } from '#src/platform/breath.ts';
import type { ChatFile } from './read.ts';
import type { Turn } from './types.ts';

/** What one speaker says before another does. */
export interface Run {
  readonly speaker: string;
  /** A message a line, or several. */
  readonly text: string;
  /** Messages that it is made of. */
  readonly turns: number;
}

export interface Conversation {
  /** "chat.txt, conversation 3" */
  readonly name: string;
  /** Milliseconds since 1970 of its last message; null: nobody knows. */
  readonly time: number | null;
  readonly runs: readonly Run[];
}

const HOUR = 3_600_000;

/** By chat, in the order of their first turns. */
async function byChat(turns: readonly Turn[], breath: Breath): Promise<Turn[][]> {
  const chats = new Map<string, Turn[]>();
  await breath.each(turns, (turn) => {
    const chat = chats.get(turn.chat);
    if (chat) chat.push(turn);
    else chats.set(turn.chat, [turn]);
  });
  return [...chats.values()];
}

/** As time goes, where all times are known; equal ones stay as they stand. */
const inOrder = (turns: readonly Turn[]): readonly Turn[] =>
  turns.some(({ time }) => time === null) ||
  turns.every(({ time }, i) => i === 0 || time! >= turns[i - 1]!.time!)
    ? turns
    : turns.toSorted((a, b) => a.time! - b.time!);

/** @param silence hours after which what is said begins a new conversation */
export async function conversationsOf(
  { path, format, turns }: ChatFile,
  silence: number,
  breath: Breath = new Breath(),
): Promise<Conversation[]> {
  const found: Conversation[] = [];
  const longest = format.threads ? Infinity : silence * HOUR;
  for (const chat of await byChat(turns, breath)) {
    let runs: { speaker: string; texts: string[] }[] = [];
    let last: number | null = null;
    const end = (): void => {
      if (runs.length > 0)
        found.push({
          name: `${path}, conversation ${found.length + 1}`,
          time: last,
          runs: runs.map(({ speaker, texts }) => ({ speaker, text: texts.join('\n'), turns: texts.length })),
        });
      runs = [];
    };
    await breath.each(inOrder(chat), ({ speaker, time, text }) => {
      if (time !== null && last !== null && time - last > longest) end();
      last = time ?? last;
      const run = runs.at(-1);
      if (run?.speaker === speaker) run.texts.push(text);
      else runs.push({ speaker: speaker ?? '', texts: [text] });
    });
    end();
  }
  return found;
}
