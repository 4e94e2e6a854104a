/** @file Labelled texts as rows of tokens of one length, and what is wrong with them. */
import { shortened } from '#src/tasks/problems.ts';
import { framed } from '#src/tasks/text/framed.ts';
import type { TokenRow } from '#src/tasks/text/inputs.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';
import type { TaskProblem } from '#src/tasks/types.ts';

/** Texts are cut to this many tokens where nobody says otherwise: memory grows with them. */
export const USUAL_LENGTH = 256;

/** What is tokenised. */
export interface Text {
  readonly text: string;
  readonly pair: string | null;
}

/** A text's tokens, not padded yet. */
export interface Tokenised {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  readonly lost: number;
}

/**
 * @param longest tokens at most
 * @throws DataError where the tokenizer cannot read the text
 */
export const tokenise = (tokens: TextTokens, { text, pair }: Text, longest: number): Tokenised =>
  framed(tokens, text, pair, longest);

/** The length of rows that hold all: a multiple of 8, so that few lengths occur. @param most it is never more */
export function lengthFor(texts: readonly Tokenised[], most: number): number {
  const longest = texts.reduce((n, { ids }) => Math.max(n, ids.length), 1);
  return Math.min(most, Math.ceil(longest / 8) * 8);
}

/** Padded at the end. */
export function padded({ ids, types }: Tokenised, length: number, pad: number): TokenRow {
  const row = { ids: new Int32Array(length).fill(pad), real: ids.length, types: new Int32Array(length) };
  row.ids.set(ids);
  row.types.set(types);
  return row;
}

interface Named extends Tokenised {
  readonly name: string;
}

/** Texts that are cut, words that the tokenizer does not know, tokens that the model does not know. */
export function tokenProblems(
  texts: readonly Named[],
  longest: number,
  tokens: TextTokens,
  words: number | null,
): TaskProblem[] {
  const cut = texts.filter(({ lost }) => lost > 0);
  const problems: TaskProblem[] = shortened(
    cut.map(({ name, lost }) => ({
      severity: 'warning',
      item: name,
      message: `${name} is longer than ${longest} tokens: the model does not see its last ${lost}.`,
      cure: 'Set a greater length, or shorten the text.',
    })),
    (n) => `${n} more texts are longer than ${longest} tokens.`,
  );
  const { unknown } = tokens;
  const count = texts.reduce((n, { ids }) => n + ids.length, 0);
  const strange = texts.reduce((n, { ids }) => n + ids.filter((id) => id === unknown).length, 0);
  if (strange > 0)
    problems.push({
      severity: 'warning',
      item: 'tokenizer.json',
      message: `${strange} of ${count} tokens are words that the tokenizer does not know.`,
      cure: 'Use the tokenizer that belongs to the model, or spell the texts as it does.',
    });
  const largest = texts.reduce((m, { ids }) => ids.reduce((a, b) => Math.max(a, b), m), tokens.pad);
  if (words !== null && largest >= words)
    problems.push({
      severity: 'error',
      item: 'tokenizer.json',
      message: `The tokenizer gives token ${largest}, but the model knows ${words} words.`,
      cure: 'Put the tokenizer.json that belongs to this model beside it.',
    });
  return problems;
}
