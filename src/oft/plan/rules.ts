/** @file Rules by layer attributes: the first that matches decides a layer's blocks. */
import { chooseBlocks, isMisfit } from '../blocks/blocks.ts';
import { StepsSpent } from '#src/platform/regex/bounded.ts';
import { compileMatch, describeMatch, type Matcher, MatchError, PLAN_STEPS } from './match.ts';
import { nameModules } from '../modules/tree.ts';
import { plannedLayer, settingsOf } from './planned.ts';
import type { Decision, PlanProblem } from './types.ts';
import type { BlockChoice, Layer, LayerSettings, Plan } from '../types.ts';

export { describeMatch } from './match.ts';

/** "the plan", "rule 2". */
export const ruleName = (rule: number | null): string => (rule === null ? 'the plan' : `rule ${rule + 1}`);

/** "a.b", "a.b and 3 more". */
export const some = (paths: readonly string[]): string =>
  paths.length > 1 ? `${paths[0]!} and ${paths.length - 1} more` : (paths[0] ?? '');

/** The rules as questions; one that cannot be asked, or no further, matches nothing, and is a problem. */
function compileRules(plan: Plan): { matchers: Matcher[]; problems: PlanProblem[]; broken: Set<number> } {
  const problems: PlanProblem[] = [];
  const broken = new Set<number>();
  const steps = { left: PLAN_STEPS };
  const refuse = (i: number, why: string, cure: string): false => {
    broken.add(i);
    problems.push({
      severity: 'error',
      item: `rule ${i + 1}`,
      message: `Rule ${i + 1} cannot be used: ${why}${why.endsWith('.') ? '' : '.'}`,
      cure,
    });
    return false;
  };
  const matchers = plan.rules.map(({ match }, i): Matcher => {
    try {
      const matches = compileMatch(match);
      return (layer, index, total) => {
        if (broken.has(i)) return false;
        try {
          return matches(layer, index, total, steps);
        } catch (error) {
          if (!(error instanceof StepsSpent)) throw error;
          return refuse(
            i,
            `its regex, with those of the other rules, takes more than ${PLAN_STEPS / 1e6} million steps over this model’s layers`,
            'Write shorter expressions with fewer repetitions, or use globs in name.',
          );
        }
      };
    } catch (error) {
      if (!(error instanceof MatchError)) throw error;
      refuse(i, error.message, error.cure);
      return () => false;
    }
  });
  return { matchers, problems, broken };
}

/** For each layer the first rule that matches; −1: none. */
const assign = (layers: readonly Layer[], matchers: readonly Matcher[]): number[] =>
  layers.map((layer, i) => matchers.findIndex((matches) => matches(layer, i, layers.length)));

/** For each layer the index of the rule that decides it; null: the plan's own settings. */
export const assignRules = (layers: readonly Layer[], plan: Plan): (number | null)[] =>
  assign(layers, compileRules(plan).matchers).map((rule) => (rule < 0 ? null : rule));

/** Rules that decide nothing: those that match nothing, and those whose layers earlier rules have taken. */
function idleRules(
  layers: readonly Layer[],
  plan: Plan,
  matchers: readonly Matcher[],
  taken: readonly number[],
  broken: ReadonlySet<number>,
): PlanProblem[] {
  const used = new Set(taken);
  return plan.rules.flatMap(({ match, skip }, i): PlanProblem[] => {
    // A last rule that skips all the rest is a fence: it does its work even where nothing is left.
    const fence = skip && i === plan.rules.length - 1 && Object.keys(match).length === 0;
    if (fence || used.has(i) || broken.has(i) || layers.length === 0) return [];
    const item = `rule ${i + 1}`;
    const hits = layers.flatMap((layer, at) => (matchers[i]!(layer, at, layers.length) ? at : []));
    if (hits.length === 0)
      return [
        {
          severity: 'warning',
          item,
          message: `Rule ${i + 1} (${describeMatch(match)}) matches no layer of this model.`,
          cure: 'Check its pattern, or remove it.',
        },
      ];
    const by = [...new Set(hits.map((at) => taken[at]! + 1))].sort((a, b) => a - b);
    const named = by.length > 1 ? `rules ${by.slice(0, -1).join(', ')} and ${by.at(-1)!}` : `rule ${by[0]!}`;
    const layersWord = hits.length === 1 ? 'its one layer goes' : `all its ${hits.length} layers go`;
    return [
      {
        severity: 'warning',
        item,
        message: `Rule ${i + 1} (${describeMatch(match)}) is never used: ${layersWord} to ${named} before it.`,
        cure: `Move it above ${named}, or remove it.`,
      },
    ];
  });
}

/** Decides every layer, in order, and says which rules cannot be used or decide nothing. */
export function decideLayers(
  found: readonly Layer[],
  plan: Plan,
): { readonly decisions: readonly Decision[]; readonly problems: readonly PlanProblem[] } {
  const layers = plan.root === undefined ? found : nameModules(found, plan.root);
  const { matchers, problems, broken } = compileRules(plan);
  const taken = assign(layers, matchers);
  const settings = new Map<number, LayerSettings>();
  const decisions = layers.map((layer, i): Decision => {
    const index = taken[i]!;
    const rule = index < 0 ? null : index;
    if (plan.rules[index]?.skip) return { layer, rule, planned: null, notes: [] };
    let own = settings.get(index);
    if (!own) settings.set(index, (own = settingsOf(plan, plan.rules[index])));
    const blocks = chooseBlocks(layer, own);
    return isMisfit(blocks)
      ? { layer, rule, planned: null, misfit: blocks, notes: [] }
      : { layer, rule, planned: plannedLayer(layer, own, blocks, rule), notes: blocks.notes };
  });
  return { decisions, problems: [...problems, ...idleRules(layers, plan, matchers, taken, broken)] };
}

/** Items by a key, in order of first appearance. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const own = key(item);
    const group = groups.get(own);
    if (group) group.push(item);
    else groups.set(own, [item]);
  }
  return [...groups.values()];
}

export const describeBlocks = (choice: BlockChoice): string =>
  Object.entries(choice)
    .map(([k, v]) => `${k} = ${v}`)
    .join(', ');
