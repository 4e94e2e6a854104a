/** @file Labelled texts as rows of tokens of one length, and what is wrong with them. */
import type { Breath } from '#src/platform/breath.ts';
import { framed } from '#src/tasks/text/framed.ts';
import type { TokenRow } from '#src/tasks/text/inputs.ts';
import { roundedLength } from '#src/tasks/text/length.ts';
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
export const tokenise = (
  tokens: TextTokens,
  { text, pair }: Text,
  longest: number,
  breath?: Breath,
): Promise<Tokenised> => framed(tokens, text, pair, longest, breath);

/** The length of rows that hold all: a multiple of 8, so that few lengths occur. @param most it is never more */
export function lengthFor(texts: readonly Tokenised[], most: number): number {
  const longest = texts.reduce((n, { ids }) => Math.max(n, ids.length), 1);
  return roundedLength(longest, most);
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

/** Texts that are cut: how many, and where the first is. */
export function cutProblems(texts: readonly Named[], longest: number): TaskProblem[] {
  const cut = texts.filter(({ lost }) => lost > 0);
  const [first] = cut;
  if (!first) return [];
  const most = cut.reduce((n, { lost }) => Math.max(n, lost), 0);
  return [
    {
      severity: 'warning',
      item: first.name,
      message:
        cut.length === 1
          ? `${first.name} is longer than ${longest} tokens: the model does not see its last ${first.lost}.`
          : `${cut.length} of ${texts.length} texts are longer than ${longest} tokens, the first ${first.name}: the model does not see their ends, up to ${most} tokens.`,
      cure: 'Set a greater length, or shorten the texts.',
    },
  ];
}
