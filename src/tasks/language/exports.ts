/** @file Exports of chats as texts to learn: whose turns are, and what is wrong with them. */
import type { FileSet } from '#src/tasks/files.ts';
import { ofKind } from '#src/tasks/problems.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { type ChatFile, type ChatTrouble, type exportsIn, readExports } from './chats/read.ts';
import type { ChatsSummary, Speaker } from './chats/summary.ts';
import { exchangesOf, takesWhole, voiceOf, type VoiceOptions } from './chats/training.ts';
import { addChat, addText, type Sink } from './rows.ts';

/** Speakers that are named one by one. */
const NAMED = 12;

/** "Anna (1,203), Bernd (987) and 3 more" */
function counted(speakers: readonly Speaker[]): string {
  const named = speakers.slice(0, NAMED).map(({ name, turns }) => `${name} (${turns.toLocaleString('en')})`);
  const more = speakers.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more.toLocaleString('en')} more` : ''}`;
}

/** Where nobody was chosen, or somebody who says nothing. */
function unchosen(item: string, { speakers, speaker }: ChatsSummary, wanted: string): TaskProblem[] {
  const [first] = speakers;
  if (speaker !== '' || !first) return [];
  const who = `These speak in it, with their messages: ${counted(speakers)}.`;
  const problem = ofKind('no-speaker', {
    severity: 'error',
    item,
    message: `${item}: ${wanted === '' ? 'whose words are to be learned is not said' : `nobody in it is called “${wanted}”`}. ${who}`,
    cure: `Choose one of them; in a job file: speaker = ${JSON.stringify(first.name)}.`,
  });
  return [{ ...problem, group: { ...problem.group!, items: speakers.map(({ name }) => name) } }];
}

interface ReadFiles {
  readonly read: readonly ChatFile[];
  readonly troubles: readonly ChatTrouble[];
}

/** Bytes of exports that are kept read, for another choice of the same: more would be in the way of training. */
const KEPT = 64 * 2 ** 20;
const kept = new WeakMap<FileSet, ReadFiles>();

async function readOnce(
  files: FileSet,
  found: Awaited<ReturnType<typeof exportsIn>>,
  breath: Sink['breath'],
): Promise<ReadFiles> {
  const known = kept.get(files);
  if (known) return known;
  const troubles: ChatTrouble[] = [];
  const read = await readExports(files, found, troubles, breath);
  let bytes = 0;
  for (const path of found.keys()) bytes += await files.size(path);
  if (bytes <= KEPT) kept.set(files, { read, troubles });
  return { read, troubles };
}

/** Reads exports, and adds what is learned of them to the sink's documents. */
export async function addExports(
  files: FileSet,
  found: Awaited<ReturnType<typeof exportsIn>>,
  voice: VoiceOptions,
  sink: Sink,
): Promise<{ readonly summary: ChatsSummary; readonly problems: TaskProblem[] }> {
  const { read, troubles } = await readOnce(files, found, sink.breath);
  for (const { path, at, why } of troubles)
    sink.trouble(at === '' ? path : `${path}, ${at}`, `${why}.`, 'Leave it out, or export it anew.');
  const { chats, notes, summary } = await voiceOf(read, voice, sink.breath);
  const { framing } = sink.options;
  const texts = takesWhole(framing) ? chats : chats.flatMap(exchangesOf);
  await sink.breath.each(texts, ({ name, messages }) => addChat(name, messages, framing.kindOfSaid, sink));
  await sink.breath.each(notes, ({ name, text }) => addText(name, text, sink));
  const first = [...found].find(([, { notes: own }]) => !own)?.[0] ?? files.name;
  const old: TaskProblem[] =
    summary.left.old === 0
      ? []
      : [
          {
            severity: 'warning',
            item: first,
            message: `${first}: the newest ${summary.conversations.toLocaleString('en')} conversations are learned; ${summary.left.old.toLocaleString('en')} older ones are more than fit the memory.`,
          },
        ];
  return { summary, problems: [...unchosen(first, summary, voice.speaker), ...old] };
}
