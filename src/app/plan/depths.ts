/** @file Three choices in place of a plan and a number of steps: light, balanced, thorough. */
import { rebased } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { otherSizes } from '#src/oft/blocks/budget.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer, Plan } from '#src/oft/types.ts';

export type DepthId = 'light' | 'balanced' | 'thorough';

export interface Depth {
  readonly id: DepthId;
  readonly plan: Plan;
  readonly steps: number;
  /** Numbers trained; null: the layers are not known yet. */
  readonly numbers: number | null;
}

/** Times the balanced one: numbers trained, and steps. */
const SHARES: Readonly<Record<DepthId, number>> = { light: 1 / 3, balanced: 1, thorough: 3 };
/** Fewer steps teach nothing that can be judged. */
const LEAST_STEPS = 10;

const roundSteps = (steps: number): number => {
  const unit = steps >= 200 ? 20 : steps >= 50 ? 10 : 5;
  return Math.max(LEAST_STEPS, Math.round(steps / unit) * unit);
};

const storedBy = (layers: readonly Layer[], plan: Plan): number =>
  planLayers(layers, plan).planned.reduce((n, { stored }) => n + stored, 0);

/** The plan with blocks of another size whose numbers come nearest to that share of the present ones, on the same side of them; null: none is held. */
function resized(
  layers: readonly Layer[],
  plan: Plan,
  numbers: number,
  share: number,
  holds: (plan: Plan) => boolean,
) {
  const distance = (stored: number): number => Math.abs(Math.log(stored / (numbers * share)));
  return (
    otherSizes(layers, plan)
      .filter(({ stored }) => (share < 1 ? stored < numbers : stored > numbers))
      .sort((a, b) => distance(a.stored) - distance(b.stored))
      .find((each) => holds(each.plan)) ?? null
  );
}

/**
 * The three choices around a plan and its steps. Where blocks of another size would not be held (`holds`), a choice differs by its steps alone.
 * @param layers null: not known yet; then all have the plan as it is
 */
export function depthsAround(
  plan: Plan,
  steps: number,
  layers: readonly Layer[] | null,
  holds: (plan: Plan) => boolean,
): readonly Depth[] {
  const numbers = layers && storedBy(layers, plan);
  return (Object.keys(SHARES) as DepthId[]).map((id) => {
    const share = SHARES[id];
    if (share === 1) return { id, plan, steps, numbers };
    const other = layers && numbers !== null ? resized(layers, plan, numbers, share, holds) : null;
    return {
      id,
      plan: other?.plan ?? plan,
      steps: roundSteps(steps * share),
      numbers: other?.stored ?? numbers,
    };
  });
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The choice that a job has now; null: settings of its own. */
export const depthOf = (job: Job, depths: readonly Depth[]): DepthId | null =>
  depths.find(({ plan, steps }) => job.train.steps === steps && same(job.plan, plan))?.id ?? null;

/** The job with that choice. Rows of samples keep their share of the way; a learning rate that nobody chose follows the plan. */
export function withDepth(job: Job, { plan, steps }: Pick<Depth, 'plan' | 'steps'>): Job {
  const { every } = job.sample;
  const scaled = every > 0 ? Math.max(1, Math.round((every * steps) / job.train.steps)) : every;
  const warmup = Math.min(job.train.warmup, Math.floor(steps / 4));
  return rebased(
    { ...job, plan, train: { ...job.train, steps, warmup }, sample: { ...job.sample, every: scaled } },
    job,
  );
}
