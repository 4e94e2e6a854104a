/** @file How a model that sorts texts, or gives an embedding that can be sorted by, is known. */
import { type Clues, headSaid, named, outputOf, told } from '#src/tasks/recognition/clues.ts';
import { noTokenizer } from '#src/tasks/recognition/lacking.ts';
import type { Guess, Rule } from '#src/tasks/recognition/types.ts';
import { classifierInputs } from './classifier.ts';

/** Outputs that are no scores, whatever head the model was trained with. */
const EMBEDDING = /hidden|embed|pool|feature/i;

/**
 * A model of texts that gives a row of numbers for each text, or for each word of it. Embeddings are served here, too: a new last layer goes
 * on top of them, which needs labels and nothing else, where arrays would need tokens and targets made by hand.
 */
function recognise(clues: Clues): Guess | null {
  const inputs = told(() => classifierInputs(clues));
  if (!inputs || clues.outputs.some(({ name }) => /^present/.test(name))) return null;
  const { beside } = clues;
  const lacks = noTokenizer(beside);
  const said = headSaid(clues, /ForSequenceClassification/);
  if (said === 'this')
    return {
      sureness: 'certain',
      why: `Its config.json says that it sorts texts${beside.classes === null ? '' : `, by ${beside.classes} classes`}.`,
      ...lacks,
    };
  const takes = `It reads text (${inputs.ids})`;
  const row = outputOf(clues, 2);
  const words = outputOf(clues, 3);
  const embedding = [row, words].find((v) => v && EMBEDDING.test(v.name));
  if (beside.embeds || embedding) {
    const gives = embedding ?? row ?? words;
    if (!gives) return null;
    return {
      sureness: beside.embeds ? 'certain' : 'likely',
      why: `${takes} and gives ${named('what it means as numbers', gives)}: a new last layer on top can learn your classes.`,
      ...lacks,
    };
  }
  if (!row || said === 'another') return null;
  const many = row.shape![1];
  return {
    sureness: 'likely',
    why: `${takes} and gives ${named(typeof many === 'number' ? `${many} numbers for each` : 'a row of numbers for each', row)}: scores of classes.`,
    ...lacks,
  };
}

export const rule: Rule = { task: 'text-classification', recognise };
