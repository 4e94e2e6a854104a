/** @file Edits of a plan as pure functions. Whatever excludes what was just chosen gives way, so that no edit leaves a contradiction. */
import { conventionsOf, withConventions } from '#src/formats/plans/plan.ts';
import { choiceKind, defaultSettings, settingsOf } from '#src/oft/plan/planned.ts';
import type { BlockChoice, LayerSettings, Match, Plan, Rule } from '#src/oft/types.ts';

export type Way = 'dim' | 'count' | 'size' | 'per';

const START: Record<Way, BlockChoice> = {
  dim: { dim: 4 },
  count: { count: 4 },
  size: { size: 8 },
  per: { per: 'channel' },
};

/** The same layers cut another way: sharing, caps and stages stay where they still mean something. */
export function cutBy(way: Way, before: BlockChoice): BlockChoice {
  if (way === choiceKind(before)) return before;
  const { share, stages, fit, maxSize, maxParams } = before;
  if (way === 'per') return { ...START.per, ...(share && { share }) };
  return withoutUndefined({ ...START[way], share, stages, fit, maxSize, maxParams });
}

/** The choice with some of its options set, or removed by `undefined`. */
export const withOption = (choice: BlockChoice, part: Partial<BlockChoice>): BlockChoice =>
  withoutUndefined({ ...choice, ...part });

/** `part` and what follows from it for a layer that now has the settings `now`. */
function withConsequences(now: LayerSettings, part: Partial<LayerSettings>): Partial<LayerSettings> {
  let out = { ...part };
  if (part.algorithm === 'boft' && part.side === undefined) out.side = 'output';
  else if (part.blocks?.per && part.side === undefined) out = { ...out, side: 'input', algorithm: 'diag' };
  else if (part.side === 'input' && now.algorithm === 'boft') out.algorithm = 'diag';
  const side = out.side ?? now.side;
  if (side !== now.side) out = { ...conventionsOf(side), ...out };
  const algorithm = out.algorithm ?? now.algorithm;
  const blocks = out.blocks ?? now.blocks;
  if (blocks.per && (side === 'output' || algorithm === 'boft')) out.blocks = defaultSettings.blocks;
  else if (blocks.stages !== undefined && algorithm !== 'boft')
    out.blocks = withOption(blocks, { stages: undefined });
  return out;
}

/** A rule that fits the plan's own settings: sides keep their conventions, and nothing inherited contradicts what the rule says. */
function tidyRule(plan: LayerSettings, rule: Rule): Rule {
  let tidy = withConventions(rule, plan.side);
  const { side, algorithm, blocks } = settingsOf({ ...plan, rules: [] }, tidy);
  if (side === 'input' && algorithm === 'boft') tidy = { ...tidy, algorithm: 'diag' };
  if (side === 'output' && blocks.per) tidy = { ...tidy, blocks: defaultSettings.blocks };
  else if (tidy.blocks?.stages !== undefined && algorithm !== 'boft')
    tidy = { ...tidy, blocks: withOption(tidy.blocks, { stages: undefined }) };
  return tidy;
}

const tidyRules = (plan: Plan): Plan => ({ ...plan, rules: plan.rules.map((rule) => tidyRule(plan, rule)) });

/** Changes the plan's own settings; rules that are silent follow. */
export const editSettings = (plan: Plan, part: Partial<LayerSettings>): Plan =>
  tidyRules({ ...plan, ...withConsequences(plan, part) });

const replaceRule = (plan: Plan, index: number, rule: Rule): Plan => ({
  ...plan,
  rules: plan.rules.map((each, i) => (i === index ? tidyRule(plan, rule) : each)),
});

/** Changes what a rule says; `undefined` makes it silent, so that the plan's own setting holds again. */
export function editRule(plan: Plan, index: number, part: Partial<LayerSettings> & { skip?: boolean }): Plan {
  const rule = plan.rules[index];
  if (!rule) return plan;
  const { skip, ...settings } = part;
  const now = settingsOf(plan, rule);
  const said = withoutUndefined(settings);
  const silent = Object.keys(settings).filter((key) => settings[key as keyof LayerSettings] === undefined);
  // Conventions came with the rule's own side and leave with it.
  const leaving = silent.includes('side') ? [...silent, 'parameters', 'neumannTerms', 'clamp'] : silent;
  const kept = Object.fromEntries(Object.entries(rule).filter(([key]) => !leaving.includes(key)));
  return replaceRule(plan, index, {
    ...(kept as unknown as Rule),
    ...withConsequences(now, said),
    ...('skip' in part && { skip }),
  });
}

/** Changes what a rule matches; `undefined` drops a condition. */
export function editMatch(plan: Plan, index: number, part: Partial<Match>): Plan {
  const rule = plan.rules[index];
  if (!rule) return plan;
  return replaceRule(plan, index, { ...rule, match: withoutUndefined({ ...rule.match, ...part }) });
}

export const addRule = (plan: Plan, rule: Rule): Plan => tidyRules({ ...plan, rules: [...plan.rules, rule] });

export const removeRule = (plan: Plan, index: number): Plan => ({
  ...plan,
  rules: plan.rules.filter((_, i) => i !== index),
});

/** Moves a rule to another place; the others close up. A place outside the list changes nothing. */
export function moveRule(plan: Plan, from: number, to: number): Plan {
  const rule = plan.rules[from];
  if (!rule || to < 0 || to >= plan.rules.length || to === from) return plan;
  const rules = plan.rules.toSpliced(from, 1).toSpliced(to, 0, rule);
  return { ...plan, rules };
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
