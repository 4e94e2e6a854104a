/** @file Arrays can be given to any model. */
import type { Clues } from '#src/tasks/recognition/clues.ts';
import type { Guess, Rule } from '#src/tasks/recognition/types.ts';

const MOST = 3;

const list = (values: readonly { readonly name: string }[]): string => {
  const names = values.slice(0, MOST).map(({ name }) => name);
  return values.length > MOST ? `${names.join(', ')} and ${values.length - MOST} more` : names.join(', ');
};

const recognise = ({ inputs, outputs }: Clues): Guess => ({
  sureness: 'possible',
  why: `It turns numbers (${list(inputs)}) into numbers (${list(outputs)}): arrays that you made can show it how.`,
});

export const rule: Rule = { task: 'generic', recognise };
