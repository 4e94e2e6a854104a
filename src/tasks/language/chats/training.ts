/** @file Conversations as texts to learn: what others say is given, what one speaker answers is learned. */
import { Breath } from '#src/platform/breath.ts';
import { MOST_SAID } from '#src/platform/limits.ts';
import type { Message } from '../chat.ts';
import type { Framing } from '../frame.ts';
import { type Conversation, conversationsOf, type Run } from './conversations.ts';
import type { ChatFile } from './read.ts';
import { Replacer, type ReplaceOptions } from './replace.ts';
import { type ChatsSummary, type Speaker, speakersOf, verdictOf, wordsIn } from './summary.ts';

export interface VoiceOptions {
  /** Whose turns are learned; '': nobody's, yet. */
  readonly speaker: string;
  /** Hours after which what is said begins a new conversation. */
  readonly silenceHours: number;
  readonly replace: ReplaceOptions;
}

/** A chat to learn, or a text of notes. */
export interface VoiceText {
  readonly name: string;
  readonly messages: readonly Message[];
}

export interface Voice {
  readonly chats: readonly VoiceText[];
  readonly notes: readonly { readonly name: string; readonly text: string }[];
  readonly summary: ChatsSummary;
}

/** Runs of the preview's conversation, and characters of each. */
const [SHOWN, LONG] = [6, 300];

/** The speaker of that name, whatever its case and the spaces around it. */
export function speakerNamed(speakers: readonly Speaker[], name: string): Speaker | undefined {
  const plain = (text: string): string => text.normalize('NFC').trim().toLowerCase();
  return speakers.find((s) => s.name === name) ?? speakers.find((s) => plain(s.name) === plain(name));
}

/** What stands before the words of those who are several. */
function asked(runs: readonly Run[], many: boolean, replacer: Replacer): string {
  return runs
    .map(({ speaker, text }) =>
      many ? `${replacer.name(speaker)}: ${replacer.text(text)}` : replacer.text(text),
    )
    .join('\n');
}

/** Questions and answers by turns; what is said after the last answer is left out. null: the speaker says nothing. */
function messagesOf(runs: readonly Run[], own: string, replacer: Replacer): Message[] | null {
  const others = new Set(runs.map(({ speaker }) => speaker).filter((name) => name !== own));
  const messages: Message[] = [];
  let before: Run[] = [];
  for (const run of runs)
    if (run.speaker === own) {
      // Who begins a conversation answers nothing: templates want a question nevertheless.
      messages.push({ role: 'user', content: asked(before, others.size > 1, replacer) });
      messages.push({ role: 'assistant', content: replacer.text(run.text) });
      before = [];
    } else before.push(run);
  return messages.length > 0 ? messages : null;
}

/** The newest, up to the characters that are learned at most; in their order. Which times are not known counts as old. */
function newest(all: readonly Conversation[], most: number): readonly Conversation[] {
  const size = ({ runs }: Conversation): number => runs.reduce((n, { text }) => n + text.length, 0);
  if (all.reduce((n, c) => n + size(c), 0) <= most) return all;
  const kept = new Set<Conversation>();
  let sum = 0;
  for (const one of all.toSorted((a, b) => (b.time ?? 0) - (a.time ?? 0))) {
    sum += size(one);
    if (sum > most) break;
    kept.add(one);
  }
  return all.filter((one) => kept.has(one));
}

/** By question and answer, for models that take one at a time. */
export const exchangesOf = ({ name, messages }: VoiceText): VoiceText[] =>
  Array.from({ length: messages.length / 2 }, (_, i) => ({
    name: messages.length > 2 ? `${name}, answer ${i + 1}` : name,
    messages: messages.slice(2 * i, 2 * i + 2),
  }));

/** Whether a frame takes a conversation as a whole: it says where a turn ends. */
export const takesWhole = (framing: Framing): boolean =>
  framing.frame === 'auto' ? framing.chats.own : framing.frame !== 'none';

/** What is learned of exports, and what there is to say of them. @param most characters */
export async function voiceOf(
  files: readonly ChatFile[],
  { speaker, silenceHours, replace }: VoiceOptions,
  breath: Breath = new Breath(),
  most = MOST_SAID,
): Promise<Voice> {
  const speakers = await speakersOf(files, breath);
  const own = speaker === '' ? undefined : speakerNamed(speakers, speaker);
  const others = speakers.filter((s) => s !== own).map(({ name }) => name);
  const replacer = new Replacer(replace, others, own?.name ?? '');
  const notes = files.flatMap(({ path, format, turns }) =>
    format.notes ? turns.map((turn) => ({ path, ...turn })) : [],
  );
  const conversations: Conversation[] = [];
  for (const file of files)
    if (own && !file.format.notes)
      for (const one of await conversationsOf(file, silenceHours, breath)) conversations.push(one);
  const said = conversations.filter(({ runs }) => runs.some((run) => run.speaker === own?.name));
  const kept = newest(said, most);
  let [turns, words] = [0, 0];
  const chats: VoiceText[] = [];
  await breath.each(kept, ({ name, runs }) => {
    for (const run of runs)
      if (run.speaker === own?.name) {
        turns += run.turns;
        words += wordsIn(run.text);
      }
    const messages = messagesOf(runs, own!.name, replacer);
    if (messages) chats.push({ name, messages });
  });
  const shown = kept.find(({ runs }) => runs.length > 2) ?? kept[0];
  const sum = (kind: 'media' | 'system' | 'forwarded'): number =>
    files.reduce((n, { left }) => n + left[kind], 0);
  return {
    chats,
    notes: await breath.map(notes, ({ path, time, text }) => ({
      name: time === null ? path : `${path}, ${new Date(time).toISOString().slice(0, 10)}`,
      text: replacer.text(text),
    })),
    summary: {
      formats: [...new Set(files.map(({ format }) => format.name))],
      speakers,
      speaker: own?.name ?? '',
      left: {
        media: sum('media'),
        system: sum('system'),
        forwarded: sum('forwarded'),
        others: conversations.length - said.length,
        old: said.length - kept.length,
      },
      conversations: kept.length,
      replaced: { ...replacer.counts },
      verdict: own ? verdictOf(turns, words) : null,
      sample: (shown?.runs ?? []).slice(0, SHOWN).map((run) => ({
        speaker: run.speaker === own?.name ? run.speaker : replacer.name(run.speaker),
        own: run.speaker === own?.name,
        text: replacer.text(run.text).slice(0, LONG),
      })),
    },
  };
}
