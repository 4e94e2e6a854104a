/** @file From what a model's files say to the tasks that it can be taught, the likeliest first. */
import { taskInfo } from '#src/tasks/infos.ts';
import type { Clues } from './clues.ts';
import * as rules from './rules.ts';
import type { Proposal, Rule, Sureness } from './types.ts';

const order: Readonly<Record<Sureness, number>> = { certain: 0, likely: 1, possible: 2 };

/** Never empty: arrays can be given to any model. Among equals the order of the tasks on the page decides. */
export function propose(clues: Clues): Proposal[] {
  const rank = ({ task, sureness }: Proposal): number =>
    1000 * order[sureness] + (taskInfo(task)?.rank ?? 999);
  return Object.values<Rule>(rules)
    .flatMap(({ task, recognise }) => {
      const guess = recognise(clues);
      return guess ? [{ task, ...guess }] : [];
    })
    .sort((a, b) => rank(a) - rank(b));
}
