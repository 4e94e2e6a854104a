/** @file What can be wrong between texts, tokenizer and model. */
import { Breath } from '#src/platform/breath.ts';
import { reasonOf } from '#src/platform/refusals.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import type { TextTokens } from './tokens.ts';

/**
 * Tokens that stand for unknown words, and tokens that the model has no place for. Throws what the breath throws.
 *
 * @param texts tokens of each
 * @param words that the model knows; null: no telling
 */
export async function tokenProblems(
  texts: readonly (readonly number[])[],
  tokens: TextTokens,
  words: number | null,
  breath: Breath,
): Promise<TaskProblem[]> {
  const problems: TaskProblem[] = [];
  let [count, unknown, largest, least] = [0, 0, tokens.pad, tokens.pad];
  await breath.each(texts, (ids) => {
    for (const id of ids) {
      count++;
      if (id === tokens.unknown) unknown++;
      if (id > largest) largest = id;
      if (id < least) least = id;
    }
  });
  if (unknown > 0)
    problems.push({
      severity: 'warning',
      item: 'tokenizer.json',
      message: `${unknown} of ${count} tokens are words that the tokenizer does not know.`,
      cure: 'Use the tokenizer that belongs to the model, or spell the texts as it does.',
    });
  if (least < 0)
    problems.push({
      severity: 'error',
      item: 'tokenizer.json',
      message: `The tokenizer gives token ${least}, but tokens are numbered from 0 on.`,
      cure: 'Open the model together with its own tokenizer.',
    });
  if (words !== null && largest >= words)
    problems.push({
      severity: 'error',
      item: 'tokenizer.json',
      message: `The tokenizer gives token ${largest}, but the model knows ${words} words.`,
      cure: 'Open the model together with its own tokenizer.',
    });
  return problems;
}

/** Samples that the tokenizer refuses, before a run would stop at them. @param read throws for such a one */
export async function sampleProblems(
  prompts: readonly string[],
  read: (prompt: string) => unknown,
): Promise<TaskProblem[]> {
  const problems: TaskProblem[] = [];
  for (const prompt of prompts)
    try {
      await read(prompt);
    } catch (error) {
      const message = `The sample "${prompt}" cannot be read: ${reasonOf(error, 'its words have no tokens')}.`;
      problems.push({ severity: 'error', item: prompt, message, cure: 'Change the sample.' });
    }
  return problems;
}

/**
 * What is made of each text, in order, with breaths between; one that cannot be is among the problems, by name.
 * @param make none: the text is left out
 * @param told how many more it has come to, after each, and none while one takes long; throwing from it ends the work
 */
export async function eachText<T extends { readonly name: string }, Made>(
  texts: readonly T[],
  make: (text: T, breath: Breath) => Made | null | Promise<Made | null>,
  problems: TaskProblem[],
  told: (made: number) => void,
): Promise<Made[]> {
  const all: Made[] = [];
  let cancelled: unknown;
  const breath = new Breath(() => {
    try {
      told(0);
    } catch (error) {
      cancelled = error;
      throw error;
    }
  });
  for (const text of texts) {
    if (breath.due) await breath.take();
    try {
      const made = await make(text, breath);
      if (made !== null) all.push(made);
    } catch (error) {
      if (error === cancelled) throw error;
      problems.push({
        severity: 'error',
        item: text.name,
        message: `${text.name}: ${reasonOf(error, 'its words have no tokens')}.`,
        cure: 'Change the text, or take it out.',
      });
    }
    told(1);
  }
  return all;
}
