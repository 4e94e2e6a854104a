/** @file What the page accepts of an option, job files hold. */
import { describe, expect, it } from 'vitest';
import { jobFromTable, parseJob } from '#src/formats/jobs/job.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { numbersIn, optionProblem } from './options.ts';

describe.each(taskInfos)('$id', (info) => {
  const options = info.fields.map((field) => [field.key, field] as const);

  it.each(options)('%s', (key, field) => {
    const candidates: unknown[] =
      field.kind === 'number'
        ? [field.min ?? 0, field.max ?? 1e6, (field.min ?? 0) + 0.5]
        : field.kind === 'choice'
          ? field.choices.map(({ value }) => value)
          : field.kind === 'flag'
            ? [true, false]
            : field.kind === 'numbers'
              ? [[], [0.5], [0.5, 0.25, 1]]
              : ['', 'name', 'auto', 'x'.repeat(501)];
    const accepted = candidates.filter((value) => optionProblem(info, key, value) === null);
    expect(accepted.length).toBeGreaterThan(0);
    const job = jobFromTable({ task: info.id });
    for (const value of accepted) {
      const changed = { ...job, options: { ...job.options, [key]: value } };
      expect(parseJob(printJob(changed))).toEqual(changed);
    }
  });
});

it.each([
  ['0.485, 0.456 ;0.406', [0.485, 0.456, 0.406]],
  ['[123.7 116.8]', [123.7, 116.8]],
  ['', []],
  ['a, 1', [NaN, 1]],
])('reads the numbers of %j', (text, numbers) => {
  expect(numbersIn(text)).toEqual(numbers);
});

it('says what is allowed', () => {
  const generic = taskInfos.find(({ id }) => id === 'generic')!;
  expect(optionProblem(generic, 'delta', 0)).toBe('Allowed: a positive number.');
  expect(optionProblem(generic, 'target', 'x'.repeat(501))).toBe(
    'Allowed: a text of at most 500 characters.',
  );
});
