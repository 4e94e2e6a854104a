/** @file Lists of problems that stay readable. */
import type { TaskProblem } from './types.ts';

/** Problems of one kind that are listed one by one; beyond it one line counts the rest. */
const LISTED = 20;

/** At most LISTED of the problems, and one that says how many more there are. */
export function shortened(problems: readonly TaskProblem[], more: (count: number) => string): TaskProblem[] {
  if (problems.length <= LISTED) return [...problems];
  const { severity, item, cure } = problems[LISTED]!;
  return [
    ...problems.slice(0, LISTED),
    { severity, item, message: more(problems.length - LISTED), cure: cure ?? 'Mend them as those above.' },
  ];
}

/** An error where nothing is left to train on and none says why. */
export function nothingLeft(
  examples: readonly unknown[],
  before: readonly TaskProblem[],
  item: string,
  leaves: string,
  cure: string,
): TaskProblem[] {
  if (examples.length > 0 || before.some((p) => p.severity === 'error')) return [];
  return [{ severity: 'error', item, message: `${item} leaves ${leaves}`, cure }];
}
