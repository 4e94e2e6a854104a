/** @file The judgings of a run, by step: of examples one by one, which may be many, the newest judging alone keeps them. */
import type { Evaluation } from './types.ts';

/** With one more, in place of one at the same step. */
export function withEvaluation(known: readonly Evaluation[], evaluation: Evaluation): readonly Evaluation[] {
  const others = known.filter(({ step }) => step !== evaluation.step);
  const all = [...others, evaluation].sort((a, b) => a.step - b.step);
  const newest = all.findLast(({ examples }) => examples);
  return all.map((each) => {
    if (each === newest || !each.examples) return each;
    const { examples: _, ...rest } = each;
    return rest;
  });
}
