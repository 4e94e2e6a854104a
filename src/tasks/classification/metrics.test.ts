import { expect, it } from 'vitest';
import { accuracies, confusion, type Judgement, macroF1, mistakes } from './metrics.ts';

const judged = (pairs: readonly (readonly [number, number])[]): Judgement[] =>
  pairs.map(([label, got], i) => ({ path: `${i}`, label, got, share: 1 - i / 100, loss: 0 }));

/** scikit-learn's own example of f1_score: macro 0.2667. */
const example = judged([
  [0, 0],
  [1, 2],
  [2, 1],
  [0, 0],
  [1, 0],
  [2, 1],
]);

it('F1 is scikit-learn’s macro average', () => {
  expect(macroF1(example).value).toBeCloseTo(0.8 / 3, 12);
  // A class that is only said counts as 0: (2/3 + 1 + 0) / 3.
  expect(
    macroF1(
      judged([
        [0, 0],
        [0, 2],
        [1, 1],
      ]),
    ).value,
  ).toBeCloseTo(5 / 9, 12);
  expect(macroF1([]).value).toBe(0);
});

it('accuracy by class is there where classes are uneven', () => {
  expect(accuracies(example).map((m) => [m.name, m.value])).toEqual([['accuracy', 1 / 3]]);
  const uneven = accuracies(
    judged([
      [0, 0],
      [0, 0],
      [0, 0],
      [1, 0],
    ]),
  );
  expect(uneven.map((m) => [m.name, m.value])).toEqual([
    ['accuracy', 0.75],
    ['accuracy by class', 0.5],
  ]);
});

it('the confusion table has what it is in rows, and the surest mistakes come first', () => {
  expect(confusion(example, ['a', 'b', 'c'], 'texts')).toEqual({
    title: 'Confusion',
    columns: ['is \\ says', 'a', 'b', 'c'],
    rows: [
      ['a', '2', '0', '0'],
      ['b', '1', '0', '1'],
      ['c', '0', '2', '0'],
    ],
  });
  expect(mistakes(example, ['a', 'b', 'c'], 'text').rows.map((row) => row[0])).toEqual(['1', '2', '4', '5']);
});

it('of many classes the pairs mixed up most are listed', () => {
  // Each of 20 classes is taken for the next one twice, and once for what it is; class 3 once more.
  const many = judged([
    ...Array.from({ length: 60 }, (_, i) => [i % 20, i % 3 === 0 ? i % 20 : (i + 1) % 20] as const),
    [3, 4],
  ]);
  const table = confusion(many, [], 'images');
  expect(table.columns).toEqual(['is', 'says', 'images']);
  expect(table.rows.slice(0, 2)).toEqual([
    ['class 3', 'class 4', '3'],
    ['class 0', 'class 1', '2'],
  ]);
  expect(table.rows).toHaveLength(20);
});
