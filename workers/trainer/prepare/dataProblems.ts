/** @file What is wrong with the data, once for each kind. */
import type { TaskProblem } from '#src/tasks/types.ts';
import type { SetupProblem } from './types.ts';

/** Problems of one kind as one, with what was said of the first of them. */
function grouped(problems: readonly TaskProblem[]): SetupProblem[] {
  const groups = new Map<string, SetupProblem & { readonly listed: string[] }>();
  return problems.flatMap(({ group, ...problem }): SetupProblem[] => {
    const data = { code: 'bad-data', ...problem } as const;
    if (!group) return [data];
    const { kind, words, items } = group;
    if (items.length < 2) return [{ ...data, kind, items }];
    const key = JSON.stringify([kind, problem.severity, words]);
    const known = groups.get(key);
    known?.listed.push(problem.message);
    if (known) return [];
    const first = {
      ...data,
      message: words,
      kind,
      items,
      listed: problem.message === words ? [] : [problem.message],
    };
    groups.set(key, first);
    return [first];
  });
}

/** Problems of the data; those beyond the first few are counted. */
export function dataProblems(all: readonly TaskProblem[], limit = 20): SetupProblem[] {
  const problems = grouped(all);
  const ordered = problems.toSorted(
    (a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'),
  );
  const rest = ordered.length - limit;
  return [
    ...ordered.slice(0, limit),
    ...(rest > 0
      ? [{ severity: 'warning' as const, code: 'bad-data' as const, message: `And ${rest} more like these.` }]
      : []),
  ];
}
