/** @file A setting that meets a budget of parameters. */
import { choiceKind } from '../plan/planned.ts';
import { decideLayers } from '../plan/rules.ts';
import type { BlockChoice, Layer, Plan, PlannedLayer } from '../types.ts';

export interface BudgetProposal {
  readonly plan: Plan;
  /** Numbers that it stores. */
  readonly stored: number;
  /** What it changes, as a button says it. */
  readonly words: string;
}

/** Block sizes and dims to try; counts are tried upward instead, since more blocks are smaller ones. */
const SIZES = [128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2];
const COUNTS = [
  2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 512, 640,
];

/** The plan with all of its block choices changed, those of its rules too. */
const withBlocks = (plan: Plan, change: (b: BlockChoice) => BlockChoice): Plan => ({
  ...plan,
  blocks: change(plan.blocks),
  rules: plan.rules.map((rule) => (rule.blocks ? { ...rule, blocks: change(rule.blocks) } : rule)),
});

/** A cap on every choice; blocks per channel have one size only, and are shared instead. */
const capped =
  (size: number) =>
  (b: BlockChoice): BlockChoice =>
    choiceKind(b) === 'per' ? { ...b, share: true } : { ...b, maxSize: Math.min(size, b.maxSize ?? size) };

const turns = (p: PlannedLayer): boolean => p.size > 1 || p.rescale;

interface Candidate {
  readonly plan: Plan;
  readonly words: string;
}

/** Other numbers for the plan's own kind of choice. */
function ownKind(plan: Plan): Candidate[] {
  const kind = choiceKind(plan.blocks);
  const other = (n: number, fit: boolean): Plan => ({
    ...plan,
    blocks: { ...plan.blocks, [kind]: n, ...(fit && { fit: 'nearest' as const }) },
  });
  switch (kind) {
    case 'dim':
      return SIZES.map((n) => ({ plan: other(n, false), words: `Choose blocks by dim = ${n}` }));
    case 'size':
      return SIZES.map((n) => ({ plan: other(n, true), words: `Cut into blocks of ${n}` }));
    case 'count':
      return COUNTS.map((n) => ({ plan: other(n, true), words: `Cut into ${n} blocks` }));
    case 'per':
      return [];
  }
}

const caps = (plan: Plan): Candidate[] =>
  SIZES.map((n) => ({ plan: withBlocks(plan, capped(n)), words: `Cap blocks at ${n} × ${n}` }));

const shared = (plan: Plan): Candidate[] => [
  {
    plan: withBlocks(plan, (b) => ({ ...capped(8)(b), share: true })),
    words: 'Share the blocks of each layer, at most 8 × 8',
  },
];

/** Numbers that a plan stores; null: it does not fit the layers, or turns none. */
function storedBy(layers: readonly Layer[], plan: Plan): number | null {
  const { decisions, problems } = decideLayers(layers, plan);
  const planned = decisions.flatMap((d) => d.planned ?? []);
  return decisions.some((d) => d.misfit) ||
    problems.some((x) => x.severity === 'error') ||
    !planned.some(turns)
    ? null
    : planned.reduce((n, x) => n + x.stored, 0);
}

/** The plans among the candidates that fit the layers, with what they store. */
const sized = (layers: readonly Layer[], candidates: readonly Candidate[]): BudgetProposal[] =>
  candidates.flatMap((candidate) => {
    const stored = storedBy(layers, candidate.plan);
    return stored === null ? [] : [{ ...candidate, stored }];
  });

/** The plan with all other numbers of its own kind of choice (dim, size, count) that fit the layers. */
export const otherSizes = (layers: readonly Layer[], plan: Plan): readonly BudgetProposal[] =>
  sized(layers, ownKind(plan));

/**
 * The largest setting that stores at most so many numbers. The first of these ways that meets the budget: another number for the plan's
 * own kind of choice, where no rule decides; a cap on all blocks; shared blocks. null: the plan meets the budget already, or nothing does.
 */
export function proposeForBudget(
  layers: readonly Layer[],
  plan: Plan,
  numbers: number,
): BudgetProposal | null {
  const now = storedBy(layers, plan);
  if (now !== null && now <= numbers) return null;
  for (const way of [ownKind, caps, shared]) {
    const within = sized(layers, way(plan)).filter(({ stored }) => stored <= numbers);
    const largest = Math.max(...within.map(({ stored }) => stored));
    const best = within.find(({ stored }) => stored === largest);
    if (best) return best;
  }
  return null;
}
