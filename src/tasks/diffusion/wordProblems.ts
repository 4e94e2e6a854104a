/** @file Captions and prompts that the text encoders do not read as they are written: too long, or of words that they do not know. */
import { reasonOf } from '#src/platform/refusals.ts';
import { shortened } from '../problems.ts';
import type { TaskProblem } from '../types.ts';
import type { Examples } from './examples.ts';
import type { TextPart } from './pipeline.ts';
import { problem } from './problems.ts';

/** Unknown words that one message names. */
const NAMED = 5;

type Readers = readonly Pick<TextPart, 'tokenizer'>[];

/** What is to be said of a prompt that is drawn: which of its words count for nothing; null: all are read. */
export function promptNote(texts: Readers, prompt: string): string | null {
  const words = unknownWords(texts, prompt);
  const over = Math.min(...texts.map(({ tokenizer }) => tokenizer.overflow(prompt)));
  const notes = [
    ...(words.length > 0 ? [`The model does not know ${named(words)}.`] : []),
    ...(over > 0 && texts.length > 0 ? ['It is too long for the model: the end is left out.'] : []),
  ];
  return notes.length > 0 ? notes.join(' ') : null;
}

/** Notes by prompt, for samples; undefined: there is nothing to say of any. */
export function promptNotes(texts: Readers, prompts: readonly string[]): (string | null)[] | undefined {
  const notes = prompts.map((prompt) => promptNote(texts, prompt));
  return notes.some((note) => note !== null) ? notes : undefined;
}

/** Prompt by prompt: samples of unknown words would show nothing of them. */
export function promptProblems(texts: Readers, prompts: readonly string[]): TaskProblem[] {
  const strange = [...new Set(prompts)].flatMap((prompt) => {
    const name = `the prompt “${prompt.slice(0, 60)}” of the samples`;
    try {
      const words = unknownWords(texts, prompt);
      if (words.length === 0) return [];
      const message = `The model does not know ${named(words)} in ${name}.`;
      return [problem('warning', 'samples', message, 'Ask for what the model knows.')];
    } catch (error) {
      const message = `A part of ${name} cannot be read: ${reasonOf(error, 'its words have no tokens')}.`;
      return [problem('error', 'samples', message, 'Change the prompt.')];
    }
  });
  return shortened(
    strange,
    'unknown-prompts',
    (n) =>
      `${n} ${n === '1' ? 'prompt of the samples has' : 'prompts of the samples have'} words that the model does not know.`,
  );
}

/** Warnings, image by image; each caption is looked at once, however many images have it. */
export function wordProblems(texts: Readers, folders: readonly (Examples | null)[]): TaskProblem[] {
  const long: TaskProblem[] = [];
  const strange: TaskProblem[] = [];
  const seen = new Set<string>();
  for (const { path, caption } of folders.flatMap((folder) => folder?.list ?? [])) {
    if (seen.has(caption)) continue;
    seen.add(caption);
    try {
      long.push(...tooLong(texts, path, caption));
      strange.push(...unknown(texts, path, caption));
    } catch (error) {
      strange.push(
        problem(
          'error',
          path,
          `The caption of ${path} cannot be read: ${reasonOf(error, 'its words have no tokens')}.`,
          'Change the caption.',
        ),
      );
    }
  }
  return [
    ...shortened(long, 'long-caption', (n) => `${n} ${n === '1' ? 'caption is' : 'captions are'} too long.`),
    ...shortened(
      strange,
      'unknown-words',
      (n) => `${n} ${n === '1' ? 'caption has' : 'captions have'} words that the model does not know.`,
    ),
  ];
}

function tooLong(texts: Readers, path: string, caption: string): TaskProblem[] {
  const over = texts.map(({ tokenizer }) => tokenizer.overflow(caption));
  const least = Math.min(...over);
  if (least === 0) return [];
  const { length } = texts[over.indexOf(least)]!.tokenizer;
  return [
    problem(
      'warning',
      path,
      `The caption of ${path} has ${length + least} tokens; the model reads ${length}, and the end is left out.`,
      'Put the words that matter first.',
    ),
  ];
}

/** What one of the encoders knows is told. */
function unknownWords(texts: Readers, text: string): readonly string[] {
  const [first, ...others] = texts.map(({ tokenizer }) => tokenizer.unknownWords(text));
  return (first ?? []).filter((word) => others.every((list) => list.includes(word)));
}

/** '"zyzzyva", "qwertz" and 3 more'. */
function named(words: readonly string[]): string {
  const more = words.length > NAMED ? ` and ${words.length - NAMED} more` : '';
  return `${words
    .slice(0, NAMED)
    .map((word) => `"${word.slice(0, 40)}"`)
    .join(', ')}${more}`;
}

function unknown(texts: Readers, path: string, caption: string): TaskProblem[] {
  const words = unknownWords(texts, caption);
  if (words.length === 0) return [];
  return [
    problem(
      'warning',
      path,
      `The model does not know ${named(words)} in the caption of ${path}: it sees one and the same token for each.`,
      'Use words that the model knows.',
    ),
  ];
}
