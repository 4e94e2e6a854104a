/** @file A plan decided for all layers, with all that is wrong or doubtful about it. */
import { noLayerWords, type Unadapted } from '../layers/layers.ts';
import type { Layer, Plan, PlannedLayer } from '../types.ts';
import { decideLayers, groupBy, ruleName, some } from './rules.ts';
import type { Decision, PlanProblem } from './types.ts';
import { settingWarnings } from './warnings.ts';

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
