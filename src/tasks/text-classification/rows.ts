/** @file Labelled texts as rows of tokens of one length, and what is wrong with them. */
import { shortened } from '#src/tasks/problems.ts';
import { framed } from '#src/tasks/text/framed.ts';
import type { TokenRow } from '#src/tasks/text/inputs.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';
import type { TaskProblem } from '#src/tasks/types.ts';

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

/** Texts that are cut. */
export const cutProblems = (texts: readonly Named[], longest: number): TaskProblem[] =>
  shortened(
    texts
      .filter(({ lost }) => lost > 0)
      .map(({ name, lost }) => ({
        severity: 'warning',
        item: name,
        message: `${name} is longer than ${longest} tokens: the model does not see its last ${lost}.`,
        cure: 'Set a greater length, or shorten the text.',
      })),
    (n) => `${n} more texts are longer than ${longest} tokens.`,
  );
