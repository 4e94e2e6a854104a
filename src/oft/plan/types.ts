/** @file What a plan comes to, layer by layer, and what is wrong with it. */
import type { BlockMisfit } from '../blocks/blocks.ts';
import type { Layer, PlannedLayer } from '../types.ts';

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
