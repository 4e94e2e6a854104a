/** @file Rules by layer attributes: the first that matches decides a layer's blocks. */
import { noLayerWords, type Unadapted } from '../layers/layers.ts';
import { type BlockMisfit, chooseBlocks, isMisfit } from '../blocks/blocks.ts';
import { compileMatch, describeMatch, type Matcher, MatchError } from './match.ts';
import { nameModules } from '../modules/tree.ts';
import { plannedLayer, settingsOf } from './planned.ts';
import type { BlockChoice, Layer, LayerSettings, Plan, PlannedLayer } from '../types.ts';
import { settingWarnings } from '../preflight/warnings.ts';

export { describeMatch } from './match.ts';

export interface PlanProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Layer path or rule. */
  readonly item?: string;
  readonly cure?: string;
}

/** What became of one layer. */
export interface Decision {
  readonly layer: Layer;
  /** Index of the rule that matched; null: the plan's own settings. */
  readonly rule: number | null;
  /** null: skipped, or its blocks do not fit. */
  readonly planned: PlannedLayer | null;
  readonly misfit?: BlockMisfit;
  /** What was changed to make the blocks fit. */
  readonly notes: readonly string[];
}

/** "the plan", "rule 2". */
export const ruleName = (rule: number | null): string => (rule === null ? 'the plan' : `rule ${rule + 1}`);

/** "a.b", "a.b and 3 more". */
export const some = (paths: readonly string[]): string =>
  paths.length > 1 ? `${paths[0]!} and ${paths.length - 1} more` : (paths[0] ?? '');

/** The rules as questions; one that cannot be asked matches nothing, and is a problem. */
function compileRules(plan: Plan): { matchers: Matcher[]; problems: PlanProblem[]; broken: Set<number> } {
  const problems: PlanProblem[] = [];
  const broken = new Set<number>();
  const matchers = plan.rules.map(({ match }, i): Matcher => {
    try {
      return compileMatch(match);
    } catch (error) {
      if (!(error instanceof MatchError)) throw error;
      broken.add(i);
      problems.push({
        severity: 'error',
        item: `rule ${i + 1}`,
        message: `Rule ${i + 1} cannot be used: ${error.message}${error.message.endsWith('.') ? '' : '.'}`,
        cure: error.cure,
      });
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

/** Layers whose blocks do not fit, one problem for all of a rule with the same trouble. */
const misfits = (decisions: readonly Decision[]): PlanProblem[] =>
  groupBy(
    decisions.filter((d) => d.misfit),
    ({ rule, misfit }) => `${rule} ${misfit!.reason}`,
  ).map((group) => {
    const { layer, misfit } = group[0]!;
    const second = group[1]?.layer.path;
    const others = group.length > 2 ? `${group.length - 1} more layers, such as ${second}` : second;
    return {
      severity: 'error',
      item: layer.path,
      message: `${layer.path} ${misfit!.reason}${others === undefined ? '' : ` The same holds for ${others}.`}`,
      cure: misfit!.cure,
    };
  });

/** Choices that were changed to fit, one report for each rule and change. */
const changes = (decisions: readonly Decision[]): PlanProblem[] =>
  groupBy(
    decisions.filter((d) => d.notes.length > 0),
    ({ rule, notes }) => `${rule} ${notes.join()}`,
  ).map((group) => {
    const { layer, notes, rule } = group[0]!;
    return {
      severity: 'warning',
      item: rule === null ? layer.path : `rule ${rule + 1}`,
      message: `The blocks of ${ruleName(rule)} were fitted to ${some(group.map((d) => d.layer.path))}: ${notes.join(', ')}.`,
    };
  });

/** Why there is nothing to train; none: there is. */
function nothing(
  layers: readonly Layer[],
  decisions: readonly Decision[],
  others: readonly Unadapted[],
): PlanProblem[] {
  if (decisions.some((d) => d.planned !== null || d.misfit)) return [];
  return [
    {
      severity: 'error',
      message:
        layers.length === 0
          ? `This model has no layer to adapt: ${noLayerWords(others)}`
          : `All ${layers.length} layers are skipped by rules, so there is nothing to train.`,
      cure: layers.length === 0 ? 'Open a model with linear or convolution layers.' : 'Remove a skip rule.',
    },
  ];
}

/**
 * All that is wrong or doubtful about a plan's decisions.
 * @param others nodes that multiply by constants and are no layers
 */
export const planProblems = (
  layers: readonly Layer[],
  { decisions, problems }: ReturnType<typeof decideLayers>,
  others: readonly Unadapted[] = [],
): PlanProblem[] => [
  ...misfits(decisions),
  ...problems,
  ...nothing(layers, decisions, others),
  ...settingWarnings(decisions.flatMap((d) => d.planned ?? [])),
  ...changes(decisions),
];

/** Decides every layer. All problems come at once; layers with an error are left out of `planned`. */
export function planLayers(
  layers: readonly Layer[],
  plan: Plan,
): { planned: PlannedLayer[]; problems: PlanProblem[] } {
  const decided = decideLayers(layers, plan);
  return {
    planned: decided.decisions.flatMap((d) => d.planned ?? []),
    problems: planProblems(layers, decided),
  };
}

export const describeBlocks = (choice: BlockChoice): string =>
  Object.entries(choice)
    .map(([k, v]) => `${k} = ${v}`)
    .join(', ');
