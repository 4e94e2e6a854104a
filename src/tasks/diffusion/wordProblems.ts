/** @file Captions that the text encoders do not read as they are written: too long, or of words that they do not know. */
import { reasonOf } from '#src/platform/refusals.ts';
import { shortened } from '../problems.ts';
import type { TaskProblem } from '../types.ts';
import type { Examples } from './examples.ts';
import type { TextPart } from './pipeline.ts';
import { problem } from './problems.ts';

/** Unknown words that one message names. */
const NAMED = 5;

/** Warnings, image by image; each caption is looked at once, however many images have it. */
export function wordProblems(
  texts: readonly Pick<TextPart, 'tokenizer'>[],
  folders: readonly (Examples | null)[],
): TaskProblem[] {
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
    ...shortened(long, 'long-caption', (n) => `${n} captions are too long.`),
    ...shortened(strange, 'unknown-words', (n) => `${n} captions have words that the model does not know.`),
  ];
}

function tooLong(
  texts: readonly Pick<TextPart, 'tokenizer'>[],
  path: string,
  caption: string,
): TaskProblem[] {
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

function unknown(
  texts: readonly Pick<TextPart, 'tokenizer'>[],
  path: string,
  caption: string,
): TaskProblem[] {
  const [first, ...others] = texts.map(({ tokenizer }) => tokenizer.unknownWords(caption));
  // What one of the encoders knows is told.
  const words = (first ?? []).filter((word) => others.every((list) => list.includes(word)));
  if (words.length === 0) return [];
  const named = words.slice(0, NAMED).map((word) => `"${word.slice(0, 40)}"`);
  const more = words.length > NAMED ? ` and ${words.length - NAMED} more` : '';
  return [
    problem(
      'warning',
      path,
      `The model does not know ${named.join(', ')}${more} in the caption of ${path}: it sees one and the same token for each.`,
      'Use words that the model knows.',
    ),
  ];
}
