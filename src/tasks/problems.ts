/** @file Lists of problems that stay readable. */
import type { TaskProblem } from './types.ts';

/** Problems of one kind that are listed one by one; beyond it one line counts the rest. */
const LISTED = 20;

/**
 * Problems of one kind: at most LISTED of them, and one that says how many more there are. Each knows the others, so that all can be shown as one.
 * @param words "11 images have no caption.", "3 more images have no caption."
 */
export function shortened(
  problems: readonly TaskProblem[],
  kind: string,
  words: (count: string) => string,
): TaskProblem[] {
  const group = {
    kind,
    words: words(String(problems.length)),
    items: problems.map(({ item }) => item),
  };
  const listed = problems.slice(0, LISTED).map((problem) => ({ ...problem, group }));
  const rest = problems.length - LISTED;
  if (rest <= 0) return listed;
  const { severity, item, cure } = problems[LISTED]!;
  const more = words(`${rest} more`);
  return [...listed, { severity, item, message: more, cure: cure ?? 'Mend them as those above.', group }];
}

/** A problem that has its like nowhere, of a kind for which the page has a cure. */
export const ofKind = (kind: string, problem: TaskProblem): TaskProblem => ({
  ...problem,
  group: { kind, words: problem.message, items: [problem.item] },
});

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
