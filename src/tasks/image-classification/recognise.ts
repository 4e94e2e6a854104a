/** @file How a model that tells pictures apart is known. */
import { type Clues, headSaid, named, outputOf } from '#src/tasks/recognition/clues.ts';
import type { Guess, Rule } from '#src/tasks/recognition/types.ts';

/** A model of pictures that gives a row of numbers for each: scores of classes, or an embedding, on which a new last layer goes. */
function recognise(clues: Clues): Guess | null {
  const { picture, beside } = clues;
  const said = headSaid(clues, /ForImageClassification/);
  if (!picture || said === 'another') return null;
  const takes = named('It takes pictures', picture);
  if (said === 'this')
    return {
      sureness: 'certain',
      why: `Its config.json says that it tells pictures apart${beside.classes === null ? '' : `, by ${beside.classes} classes`}.`,
    };
  const scores =
    outputOf(clues, 2) ??
    clues.outputs.find(({ shape }) => shape?.length === 4 && shape[2] === 1 && shape[3] === 1);
  if (scores) {
    const many = scores.shape![1];
    const row = typeof many === 'number' ? `a row of ${many} numbers` : 'a row of numbers';
    return {
      sureness: 'likely',
      why: `${takes} and gives ${named(`${row} for each`, scores)}: scores of classes, or a sum of what it sees.`,
    };
  }
  const patches = outputOf(clues, 3);
  if (!patches || !/hidden|embed|feature|token/i.test(patches.name)) return null;
  return {
    sureness: 'likely',
    why: `${takes} and gives ${named('what it sees at each place', patches)}: a new last layer on top can learn your classes.`,
  };
}

export const rule: Rule = { task: 'image-classification', recognise };
