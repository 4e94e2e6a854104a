import { expect, it } from 'vitest';
import { withEvaluation } from './evaluations.ts';
import type { Evaluation } from './types.ts';

const examples = [{ name: 'a.png', is: 'fox', says: 'owl', share: 0.9 }];
const judged = (step: number, more: Partial<Evaluation> = {}): Evaluation => ({
  ...{ step, heldoutLoss: 1, saturation: null },
  ...more,
});

it('are in the order of their steps, each once', () => {
  const all = [8, 0, 4].reduce<readonly Evaluation[]>(
    (known, step) => withEvaluation(known, judged(step)),
    [],
  );
  expect(all.map(({ step }) => step)).toEqual([0, 4, 8]);
  const again = withEvaluation(all, judged(4, { heldoutLoss: 2 }));
  expect(again.map(({ heldoutLoss }) => heldoutLoss)).toEqual([1, 2, 1]);
});

it('keep the examples of the newest judging that has some', () => {
  const first = withEvaluation([], judged(0, { examples }));
  expect(first[0]!.examples).toBe(examples);
  const second = withEvaluation(first, judged(4, { examples }));
  expect(second.map((each) => 'examples' in each)).toEqual([false, true]);
  // Samples alone, asked for in between, are no judging of examples.
  const third = withEvaluation(second, judged(6, { heldoutLoss: null }));
  expect(third.map((each) => 'examples' in each)).toEqual([false, true, false]);
});
