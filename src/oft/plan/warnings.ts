/** @file What is doubtful about settings before anything is trained, each with a cure. */
import { blockLimit, layerLimit } from '../rotation/clamp.ts';
import { fanIn, storedBlocks, widthOf } from './planned.ts';
import type { PlanProblem } from './types.ts';
import type { PlannedLayer } from '../types.ts';

/** From this share of the adapted weights' own numbers an adapter is no small one any more. */
const LARGE_ADAPTER = 0.25;
/** Blocks from this size on make the Cayley transform, b³ per block, the costliest part of a step. */
const LARGE_BLOCK = 512;
/** Mean angles in degrees below which a constraint holds everything in place, and above which it never acts. */
const [STUCK, FREE] = [0.05, 120];

const number = (n: number): string => n.toLocaleString('en-US');

const baseNumbers = ({ layer }: PlannedLayer): number => layer.out * fanIn(layer);

/**
 * Angle in degrees by which a layer's planes turn if its constraint is used up evenly: ‖Q‖²_F = 2·planes·q², θ = 2·atan q.
 * Infinity: no constraint.
 */
export function largestMeanAngle(p: PlannedLayer): number {
  const limit = Math.min(layerLimit(p), blockLimit(p) * Math.sqrt(storedBlocks(p)));
  if (limit === Infinity) return Infinity;
  const planes = (storedBlocks(p) * p.size) / 2;
  return (2 * Math.atan(limit / Math.sqrt(2 * planes)) * 180) / Math.PI;
}

/** Settings under which a layer never changes, whatever is trained; null: it can. */
export function stuckReason(p: PlannedLayer): string | null {
  if (p.lrScale === 0) return 'lr_scale = 0';
  if (p.moduleDropout === 1) return 'module_dropout = 1';
  if (p.rescale) return null;
  if (p.size === 1) return 'blocks of size 1, which cannot turn';
  if (p.neumannTerms !== null && p.neumannTerms <= 1)
    return 'a Cayley–Neumann series of one term, which is I';
  return p.rankDropout === 1 ? 'rank_dropout = 1' : null;
}

const cures: readonly [start: string, cure: string][] = [
  ['lr_scale', 'Give them a positive lr_scale, or skip them.'],
  ['module_dropout', 'Choose a smaller module_dropout, or skip them.'],
  ['rank_dropout', 'Choose a smaller rank_dropout, or skip them.'],
  ['a Cayley', 'Use cayley = { terms = 5 } or "exact", or skip them.'],
  [
    'blocks of size 1',
    'Choose larger blocks by a rule for them (blocks = { count = 1 }: one whole block), or skip them.',
  ],
];

/** One warning for all layers of a rule that a condition holds for. */
function warn(
  planned: readonly PlannedLayer[],
  holds: (p: PlannedLayer) => boolean,
  sentence: (first: PlannedLayer, which: string, many: boolean) => string,
  cure: string | ((hit: readonly PlannedLayer[]) => string),
): PlanProblem[] {
  const byRule = new Map<number | null, PlannedLayer[]>();
  for (const p of planned)
    if (holds(p)) {
      const group = byRule.get(p.rule);
      if (group) group.push(p);
      else byRule.set(p.rule, [p]);
    }
  return [...byRule].map(([rule, hit]): PlanProblem => {
    const first = hit[0]!;
    const which = hit.length === 1 ? first.layer.path : `${hit.length} layers, such as ${first.layer.path},`;
    return {
      severity: 'warning',
      item: rule === null ? first.layer.path : `rule ${rule + 1}`,
      message: sentence(first, which, hit.length > 1),
      cure: typeof cure === 'string' ? cure : cure(hit),
    };
  });
}

/** Layers that never change; an error if none does. */
function stuck(planned: readonly PlannedLayer[]): PlanProblem[] {
  const reasons = new Map<string, PlannedLayer[]>();
  for (const p of planned) {
    const reason = stuckReason(p);
    if (reason !== null) reasons.set(reason, [...(reasons.get(reason) ?? []), p]);
  }
  const all = [...reasons.values()].reduce((n, hit) => n + hit.length, 0);
  const cureOf = (reason: string): string => {
    // A layer of one output has nothing to turn on that side, whatever its blocks.
    const narrow = (reasons.get(reason) ?? []).filter((p) => widthOf(p.layer, p.side) === 1);
    const other = (p: PlannedLayer): number => widthOf(p.layer, p.side === 'output' ? 'input' : 'output');
    if (reason.startsWith('blocks of size 1') && narrow.length === reasons.get(reason)?.length)
      return narrow.every((p) => other(p) > 1)
        ? `Set side = "${narrow[0]!.side === 'output' ? 'input' : 'output'}" for them by a rule (on this side they have one number), or skip them.`
        : 'They have one number to turn on this side: skip them.';
    return cures.find(([start]) => reason.startsWith(start))![1];
  };
  if (planned.length > 0 && all === planned.length) {
    const named = [...reasons.keys()];
    return [
      {
        severity: 'error',
        message: `Nothing would be learned: every layer has ${named.join(', or ')}.`,
        cure: cureOf(named[0]!),
      },
    ];
  }
  return [...reasons].map(([reason, hit]) => {
    const first = hit[0]!.layer.path;
    return {
      severity: 'warning',
      item: first,
      message:
        hit.length === 1
          ? `${first} stays as it is: it has ${reason}.`
          : `${hit.length} layers, such as ${first}, stay as they are: they have ${reason}.`,
      cure: cureOf(reason),
    };
  });
}

/** Blocks that explode on wide layers (the paper's r = 4): smaller ones that keep LyCORIS's b ≤ n are the cure. */
function sizes(planned: readonly PlannedLayer[]): PlanProblem[] {
  const wide = warn(
    planned,
    (p) => p.size > 1 && p.stored > baseNumbers(p),
    (p, which, many) =>
      `${which} ${many ? 'store' : 'stores'} more numbers than ${many ? 'their weights have' : 'its weight has'}: ${number(p.stored)} for ${number(baseNumbers(p))}, in ${p.count} × ${p.size} blocks.`,
    'Cap the blocks with max_size = 64, share them, or choose a size instead of a count.',
  );
  if (wide.length > 0) return wide;
  const base = planned.reduce((n, p) => n + baseNumbers(p), 0);
  const stored = planned.reduce((n, p) => n + p.stored, 0);
  const largest = planned.reduce<PlannedLayer | undefined>(
    (a, p) => (a && a.stored >= p.stored ? a : p),
    undefined,
  );
  if (largest && stored > LARGE_ADAPTER * base && stored > 1_000_000)
    return [
      {
        severity: 'warning',
        item: largest.layer.path,
        message: `The adapter stores ${number(stored)} numbers, ${Math.round((100 * stored) / base)} % of the weights that it adapts; most in ${largest.layer.path} (${number(largest.stored)}).`,
        cure: 'Cap the blocks with max_size or max_params, or let a parameter budget propose a setting.',
      },
    ];
  return warn(
    planned,
    (p) => p.size >= LARGE_BLOCK,
    (p, which, many) =>
      `${which} ${many ? 'have' : 'has'} blocks of ${p.size}: their Cayley transform, about b³ per block and step, will take most of the time.`,
    'Cap them with max_size = 64.',
  );
}

const clampWords = {
  lycoris: 'times the number of outputs, on ‖Q‖ of the layer',
  comfyui: 'on ‖Q‖ of the layer',
  peft: 'over √n, on ‖Q‖ of each block',
  paper: 'times b²/√n, on ‖Q‖ of each block',
} as const;

function constraints(planned: readonly PlannedLayer[]): PlanProblem[] {
  const turning = planned.filter((p) => p.size > 1 && p.constraint > 0);
  const degrees = (p: PlannedLayer): string => largestMeanAngle(p).toPrecision(2);
  const words = (p: PlannedLayer): string =>
    `constraint = ${p.constraint} (${p.clamp}: ${clampWords[p.clamp]})`;
  /** The constraint under which the mean angle is about 5°, rounded to one digit. */
  const fitting = (p: PlannedLayer): string => {
    const now = Math.tan((largestMeanAngle(p) * Math.PI) / 360);
    const wanted = (p.constraint * Math.tan((5 * Math.PI) / 360)) / now;
    return Number.isFinite(wanted) && wanted > 0 ? `About ${wanted.toPrecision(1)} allows 5° there. ` : '';
  };
  return [
    ...warn(
      turning,
      (p) => largestMeanAngle(p) < STUCK,
      (p, which, many) =>
        `${words(p)} holds ${which} almost in place: ${many ? 'they' : 'it'} can turn by ${degrees(p)}° on average.`,
      (hit) => `${fitting(hit[0]!)}Use 0 for no constraint, or another clamp: each tool means another size.`,
    ),
    ...warn(
      turning,
      (p) => largestMeanAngle(p) > FREE,
      (p, which) => `${words(p)} never acts on ${which}: it allows turns of ${degrees(p)}° on average.`,
      (hit) => `${fitting(hit[0]!)}Use 0 if no constraint is meant; LyCORIS's constraint is no alpha.`,
    ),
  ];
}

/** All warnings about the settings of planned layers, one per rule and kind; an error where nothing could be learned. */
export const settingWarnings = (planned: readonly PlannedLayer[]): PlanProblem[] => [
  ...stuck(planned),
  ...sizes(planned),
  ...constraints(planned),
  ...warn(
    planned,
    (p) => p.side === 'output' && p.neumannTerms !== null && p.neumannTerms > 1,
    (p, which) =>
      `A series of ${p.neumannTerms} terms on the output side (${which.replace(/,$/, '')}) is in no tool's files: all that turn outputs use the exact Cayley transform.`,
    'Use cayley = "exact", or side = "input".',
  ),
  ...warn(
    planned,
    (p) => p.side === 'input' && p.layer.kind === 'conv' && fanIn(p.layer) > p.layer.in / p.layer.groups,
    (_, which) =>
      `PEFT's own forward pass scrambles convolutions wider than 1×1 (${which.replace(/,$/, '')}); its merged weights are right.`,
    'Merge the adapter before use there (merge_and_unload), save merged weights, or skip them by a rule with kind = "conv".',
  ),
];
