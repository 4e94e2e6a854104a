/** @file The learning rate changed on the way: factors on what the schedule says, each from a step on. */
import * as v from 'valibot';

/** From that step on the learning rate is the schedule's times the factor, until the next change. */
export interface RateChange {
  /** 0-based, as in a run's records: the first step that it holds for. */
  readonly step: number;
  readonly factor: number;
}

/** Factors that a learning rate may be multiplied by. */
export const FACTORS = { least: 1e-3, most: 100 } as const;

export const isFactor = (factor: number): boolean => factor >= FACTORS.least && factor <= FACTORS.most;

/** What the schedule's rate of step k is multiplied by. @param changes by step */
export const factorAt = (changes: readonly RateChange[], k: number): number =>
  changes.findLast(({ step }) => step <= k)?.factor ?? 1;

/** The changes with one more, which stands in for those from its step on. */
export const withChange = (changes: readonly RateChange[], change: RateChange): RateChange[] => [
  ...changes.filter(({ step }) => step < change.step),
  change,
];

/** Changes as stored. */
export const ratesSchema = v.pipe(
  v.array(
    v.object({
      step: v.pipe(v.number(), v.integer(), v.minValue(0)),
      factor: v.pipe(v.number(), v.check(isFactor, 'is no factor of a rate')),
    }),
  ),
  v.check((all) => all.every(({ step }, i) => step > (all[i - 1]?.step ?? -1)), 'is not in order'),
) satisfies v.GenericSchema<unknown, RateChange[]>;
