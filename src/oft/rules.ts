/** @file Rules by layer attributes: the first that matches decides a layer's blocks. */
import { chooseBlocks, isMisfit } from './blocks.ts';
import { plannedLayer, settingsOf } from './planned.ts';
import type { BlockChoice, Layer, Match, Plan, PlannedLayer } from './types.ts';

export interface PlanProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Layer path or rule. */
  readonly item?: string;
  readonly cure?: string;
}

/** Glob over a whole dotted path: `*` any run of characters, `?` one. */
export function globMatches(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
}

/** "320", 320, ">=320", "<64" … against a width. Throws RangeError for anything else. */
export function compares(condition: number | string, value: number): boolean {
  const parts = /^\s*(>=|<=|>|<|==?|!=)?\s*(\d+)\s*$/.exec(String(condition));
  if (!parts)
    throw new RangeError(
      `"${condition}" is not a comparison; write a number, or one with >=, <=, >, < or != before it.`,
    );
  const n = Number(parts[2]);
  switch (parts[1]) {
    case '>=':
      return value >= n;
    case '<=':
      return value <= n;
    case '>':
      return value > n;
    case '<':
      return value < n;
    case '!=':
      return value !== n;
    default:
      return value === n;
  }
}

/** Whether every attribute that the match names fits the layer. */
export function layerMatches(layer: Layer, match: Match): boolean {
  return (
    (match.name === undefined || globMatches(match.name, layer.path)) &&
    (match.kind === undefined || match.kind === layer.kind) &&
    (match.kernel === undefined ||
      (layer.kernel.length > 0 && layer.kernel.every((k) => k === match.kernel))) &&
    (match.stride === undefined ||
      (layer.stride.length > 0 && layer.stride.every((s) => s === match.stride))) &&
    (match.groups === undefined || layer.groups === match.groups) &&
    (match.in === undefined || compares(match.in, layer.in)) &&
    (match.out === undefined || compares(match.out, layer.out))
  );
}

/** Decides every layer. All problems come at once; layers with an error are left out of `planned`. */
export function planLayers(
  layers: readonly Layer[],
  plan: Plan,
): { planned: PlannedLayer[]; problems: PlanProblem[] } {
  const planned: PlannedLayer[] = [];
  const problems: PlanProblem[] = [];
  const hits = plan.rules.map(() => 0);
  for (const layer of layers) {
    const index = plan.rules.findIndex((rule) => layerMatches(layer, rule.match));
    const rule = plan.rules[index];
    if (rule) hits[index]!++;
    if (rule?.skip) continue;
    const settings = settingsOf(plan, rule);
    const blocks = chooseBlocks(layer, settings);
    if (isMisfit(blocks)) {
      problems.push({
        severity: 'error',
        item: layer.path,
        message: `${layer.path} ${blocks.reason}`,
        cure: blocks.cure,
      });
      continue;
    }
    planned.push(plannedLayer(layer, settings, blocks, rule ? index : null));
  }
  plan.rules.forEach((rule, i) => {
    if (hits[i] === 0)
      problems.push({
        severity: 'warning',
        item: `rule ${i + 1}`,
        message: `Rule ${i + 1} (${describeMatch(rule.match)}) matches no layer that an earlier rule left over.`,
        cure: 'Check its pattern, or move it up.',
      });
  });
  if (planned.length === 0 && !problems.some((p) => p.severity === 'error'))
    problems.push({
      severity: 'error',
      message:
        layers.length === 0
          ? 'This model has no layer to adapt: no MatMul, Gemm or Conv multiplies by a stored weight.'
          : `All ${layers.length} layers are skipped by rules, so there is nothing to train.`,
      cure: layers.length === 0 ? 'Open a model with linear or convolution layers.' : 'Remove a skip rule.',
    });
  const identity = planned.filter((p) => p.size === 1 && !p.rescale);
  if (identity.length > 0 && identity.length === planned.length)
    problems.push({
      severity: 'error',
      message: 'Every layer has blocks of size 1, which cannot turn: nothing would be learned.',
      cure: 'Choose a larger dim or size, or fewer blocks.',
    });
  else
    for (const p of identity)
      problems.push({
        severity: 'warning',
        item: p.layer.path,
        message: `${p.layer.path} gets blocks of size 1 (width ${p.layer.out}), which cannot turn: it stays as it is.`,
        cure: 'Give it a rule with another block setting, or skip it.',
      });
  return { planned, problems };
}

export const describeMatch = (match: Match): string =>
  Object.entries(match)
    .map(([k, v]) => `${k} ${v}`)
    .join(', ') || 'everything';

export const describeBlocks = (choice: BlockChoice): string =>
  Object.entries(choice)
    .map(([k, v]) => `${k} = ${v}`)
    .join();
