/** @file What people are told of exports of chats before anything is learned: who speaks, how much, since when, what is left out, whether it is enough. */
import type { Breath } from '#src/platform/breath.ts';
import type { ChatFile } from './read.ts';
import type { Replaced } from './replace.ts';

export interface Speaker {
  readonly name: string;
  /** Messages with words. */
  readonly turns: number;
  readonly words: number;
  /** Milliseconds since 1970; null: no time is known. */
  readonly first: number | null;
  readonly last: number | null;
}

/** How much there is to learn a manner from. */
export interface Verdict {
  readonly level: 'none' | 'little' | 'some' | 'enough' | 'plenty';
  readonly words: string;
}

export interface ChatsSummary {
  /** "WhatsApp" */
  readonly formats: readonly string[];
  /** Who says the most comes first; none: only notes were given. */
  readonly speakers: readonly Speaker[];
  /** Whose turns are learned; '': nobody was chosen, or is there. */
  readonly speaker: string;
  readonly left: {
    readonly media: number;
    readonly system: number;
    readonly forwarded: number;
    /** Conversations in which the speaker says nothing. */
    readonly others: number;
    /** Old conversations, beyond what is learned at most. */
    readonly old: number;
  };
  readonly conversations: number;
  readonly replaced: Readonly<Record<Replaced, number>>;
  /** null: nobody was chosen. */
  readonly verdict: Verdict | null;
  /** The beginning of a conversation that is learned. */
  readonly sample: readonly { readonly speaker: string; readonly own: boolean; readonly text: string }[];
}

/** Letters that are each a word, or nearly. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const WORDS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}'’]+/gu;

export function wordsIn(text: string): number {
  if (!UNSPACED.test(text)) return text.split(/\s+/).filter((word) => word !== '').length;
  return text.match(WORDS)?.length ?? 0;
}

/** Everybody who says something, the most frequent first. */
export async function speakersOf(files: readonly ChatFile[], breath: Breath): Promise<Speaker[]> {
  const found = new Map<
    string,
    { turns: number; words: number; first: number | null; last: number | null }
  >();
  for (const { turns, format } of files) {
    if (format.notes) continue;
    await breath.each(turns, ({ speaker, text, time }) => {
      const name = speaker ?? '';
      const seen = found.get(name) ?? { turns: 0, words: 0, first: null, last: null };
      seen.turns++;
      seen.words += wordsIn(text);
      if (time !== null) {
        seen.first = Math.min(seen.first ?? time, time);
        seen.last = Math.max(seen.last ?? time, time);
      }
      found.set(name, seen);
    });
  }
  return [...found].map(([name, seen]) => ({ name, ...seen })).sort((a, b) => b.turns - a.turns);
}

/**
 * Tones show in a few hundred answers, turns of phrase in a thousand; below, single sentences are learned by heart. Words count as well: "ok" teaches nothing.
 */
const LEVELS: readonly (readonly [Verdict['level'], turns: number, words: number, said: string])[] = [
  ['plenty', 3000, 20_000, 'plenty: manner, favourite words and turns of phrase can be learned'],
  ['enough', 600, 4000, 'enough for the manner; what is rare will not be met'],
  ['some', 150, 800, 'a beginning: the tone may show, and some sentences will be learned by heart'],
];

/** @param turns answers that are learned @param words in them */
export function verdictOf(turns: number, words: number): Verdict {
  const amount = `${turns.toLocaleString('en')} messages with ${words.toLocaleString('en')} words`;
  if (turns === 0) return { level: 'none', words: 'There is nothing to learn.' };
  const level = LEVELS.find(([, t, w]) => turns >= t && words >= w);
  return level
    ? { level: level[0], words: `${amount} are ${level[3]}.` }
    : {
        level: 'little',
        words: `${amount} are little: a few sentences will be learned by heart. Add more, if there is more.`,
      };
}
