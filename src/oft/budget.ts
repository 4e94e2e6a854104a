/** @file A setting that meets a budget of parameters. */
import { choiceKind } from './planned.ts';
import { planLayers } from './rules.ts';
import type { BlockChoice, Layer, Plan } from './types.ts';

export interface BudgetProposal {
  readonly plan: Plan;
  /** Numbers that it stores. */
  readonly stored: number;
  /** What it changes, as a button says it. */
  readonly words: string;
}

/** Block sizes and dims to try. */
const SIZES = [128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2];

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

function candidates(plan: Plan): { plan: Plan; words: string }[] {
  const kind = choiceKind(plan.blocks);
  const own =
    kind === 'dim' || kind === 'size'
      ? SIZES.map((n) => ({
          plan: {
            ...plan,
            blocks: { ...plan.blocks, [kind]: n, ...(kind === 'size' && { fit: 'nearest' as const }) },
          },
          words: kind === 'dim' ? `Choose blocks by dim = ${n}` : `Cut into blocks of ${n}`,
        }))
      : [];
  const caps = SIZES.map((n) => ({
    plan: withBlocks(plan, capped(n)),
    words: `Cap blocks at ${n} × ${n}`,
  }));
  const shared = {
    plan: withBlocks(plan, (b) => ({ ...capped(8)(b), share: true })),
    words: 'Share the blocks of each layer, at most 8 × 8',
  };
  return [...own, ...caps, shared];
}

/**
 * The largest setting that stores at most so many numbers, keeping the plan's kind of choice: another dim or size for what no rule
 * decides, else a cap on all blocks, else shared blocks. null: the plan meets the budget already, or nothing does.
 */
export function proposeForBudget(
  layers: readonly Layer[],
  plan: Plan,
  numbers: number,
): BudgetProposal | null {
  const stored = (p: Plan): number | null => {
    const { planned, problems } = planLayers(layers, p);
    return problems.some(({ severity }) => severity === 'error')
      ? null
      : planned.reduce((n, x) => n + x.stored, 0);
  };
  const now = stored(plan);
  if (now !== null && now <= numbers) return null;
  let best: BudgetProposal | null = null;
  for (const candidate of candidates(plan)) {
    const n = stored(candidate.plan);
    if (n !== null && n <= numbers && n > (best?.stored ?? 0)) best = { ...candidate, stored: n };
  }
  return best;
}
