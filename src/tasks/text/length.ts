/** @file How many tokens a model reads of a text: what its file fixes, what is asked for, what is usual. */
import { DataError } from '#src/tasks/files.ts';
import type { TextInputs } from './inputs.ts';
import type { TextTokens } from './tokens.ts';

/** Texts are no longer than this where nobody says so: memory grows with them. */
const USUAL = 256;

/**
 * Tokens of a row, at most.
 *
 * @param path of the model, for messages
 * @param asked by the job; 0: nothing
 * @param batch of the job
 * @throws DataError where the file's sizes or the model's limit stand against it
 */
export function readingLength(
  path: string,
  inputs: TextInputs,
  tokens: TextTokens,
  asked: number,
  batch: number,
): number {
  const { length: fixed, batch: own } = inputs;
  if (fixed !== null && asked !== 0 && asked !== fixed)
    throw new DataError(
      `${path} reads exactly ${fixed} tokens, not ${asked}. Set the length to ${fixed} or 0, or export the model with a free length.`,
    );
  if (own !== null && own !== batch)
    throw new DataError(
      `${path} takes batches of exactly ${own}, not ${batch}. Set the batch to ${own}, or export the model with a free batch.`,
    );
  if (tokens.longest !== null && asked > tokens.longest)
    throw new DataError(
      `The model reads at most ${tokens.longest} tokens (config.json or tokenizer_config.json), not ${asked}. Choose a smaller length.`,
    );
  return fixed ?? (asked || Math.min(USUAL, tokens.longest ?? USUAL));
}
