/** @file The configuration checker: every layer with what becomes of it, totals, problems, and which tools will load the result. */
import { compatibility } from './compatibility.ts';
import type { ToolVerdict } from '../modules/types.ts';
import type { Unadapted } from '../layers/layers.ts';
import { type Root, rootsOf } from '../modules/tree.ts';
import { fanIn } from '../plan/planned.ts';
import { decideLayers } from '../plan/rules.ts';
import type { Decision, PlanProblem } from '../plan/types.ts';
import { planProblems } from '../plan/planning.ts';
import type { Layer, Plan, PlannedLayer } from '../types.ts';
import { stuckReason } from '../plan/warnings.ts';

export type { ToolVerdict } from '../modules/types.ts';
export type { Root } from '../modules/tree.ts';

export interface PreflightRow {
  readonly layer: Layer;
  /** null: skipped, or its blocks do not fit. */
  readonly planned: PlannedLayer | null;
  /** Index of the rule that decided; null: the plan's own settings. */
  readonly rule: number | null;
  /** identity: adapted, but nothing of it can change. */
  readonly state: 'adapted' | 'skipped' | 'error' | 'identity';
  /** Why the state is what it is, or what was changed to make blocks fit. */
  readonly message?: string;
  /** Of all stored numbers, 0…1. */
  readonly share: number;
}

export interface Preflight {
  /** In the order of the network. */
  readonly rows: readonly PreflightRow[];
  readonly totals: {
    readonly layers: number;
    readonly adapted: number;
    readonly skipped: number;
    readonly stored: number;
    readonly effective: number;
    /** Numbers in the weights of all layers that could be adapted. */
    readonly base: number;
    /** What LoRA of that rank stores on the adapted layers: rank · (out + in/groups · kernel) each. */
    readonly lora: { readonly rank: number; readonly numbers: number };
  };
  readonly problems: readonly PlanProblem[];
  readonly tools: readonly ToolVerdict[];
  /** What was found (or said) to stand before the names of the Python model's modules, by part. */
  readonly roots: readonly Root[];
}

function rowOf({ layer, rule, planned, misfit, notes }: Decision, total: number): PreflightRow {
  if (misfit)
    return { layer, planned, rule, state: 'error', message: `${misfit.reason} ${misfit.cure}`, share: 0 };
  if (!planned) return { layer, planned, rule, state: 'skipped', share: 0 };
  const share = total === 0 ? 0 : planned.stored / total;
  const stuck = stuckReason(planned);
  if (stuck !== null)
    return { layer, planned, rule, state: 'identity', message: `Stays as it is: ${stuck}.`, share };
  return {
    layer,
    planned,
    rule,
    state: 'adapted',
    ...(notes.length > 0 && { message: `Fitted: ${notes.join(', ')}.` }),
    share,
  };
}

/** All that can be said of a plan on a model's layers before anything is trained. Linear in layers × rules. */
export function preflight(
  layers: readonly Layer[],
  plan: Plan,
  { loraRank = 16, others = [] }: { readonly loraRank?: number; readonly others?: readonly Unadapted[] } = {},
): Preflight {
  const decided = decideLayers(layers, plan);
  const planned = decided.decisions.flatMap((d) => d.planned ?? []);
  const stored = planned.reduce((n, p) => n + p.stored, 0);
  const rows = decided.decisions.map((d) => rowOf(d, stored));
  return {
    rows,
    totals: {
      layers: layers.length,
      adapted: planned.length,
      skipped: rows.filter((r) => r.state === 'skipped').length,
      stored,
      effective: planned.reduce((n, p) => n + p.effective, 0),
      base: layers.reduce((n, l) => n + l.out * fanIn(l), 0),
      lora: {
        rank: loraRank,
        numbers: planned.reduce((n, { layer }) => n + loraRank * (layer.out + fanIn(layer)), 0),
      },
    },
    problems: planProblems(layers, decided, others),
    tools: compatibility(planned),
    roots: rootsOf(decided.decisions.map((d) => d.layer)),
  };
}
