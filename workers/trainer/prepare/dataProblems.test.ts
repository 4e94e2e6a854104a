/** @file Problems of one kind are one remark. */
import { expect, it } from 'vitest';
import { ofKind, shortened } from '#src/tasks/problems.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { dataProblems } from './dataProblems.ts';

const warn = (item: string): TaskProblem => ({ severity: 'warning', item, message: `${item} has none.` });
const items = (n: number) => Array.from({ length: n }, (_, i) => `${i}.png`);
const nameless = (n: number) => shortened(items(n).map(warn), 'no-caption', (count) => `${count} have none.`);

it('counts all of a kind, whatever number of them was listed', () => {
  const [remark, ...others] = dataProblems(nameless(31));
  expect(others).toEqual([]);
  expect(remark).toMatchObject({ message: '31 have none.', kind: 'no-caption', items: items(31) });
  expect(remark?.listed).toHaveLength(21);
  expect(remark?.listed?.at(-1)).toBe('11 more have none.');
});

it('says of one what there is to say of it', () => {
  expect(dataProblems(nameless(1))).toEqual([
    { ...warn('0.png'), code: 'bad-data', kind: 'no-caption', items: ['0.png'] },
  ]);
});

it('keeps apart what is of no kind, of another, or graver; errors come first', () => {
  const error = ofKind('no-data', { severity: 'error', item: 'mine', message: 'Nothing there.' });
  const remarks = dataProblems([...nameless(3), warn('x'), warn('y'), error]);
  expect(remarks.map(({ message }) => message)).toEqual([
    'Nothing there.',
    '3 have none.',
    'x has none.',
    'y has none.',
  ]);
});
