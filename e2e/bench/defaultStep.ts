/** @file The training step of any graph as benchmarks take it: all layers by one choice of settings, the mean square of its first output for a loss. */
import type { Graph } from '#src/graph/types.ts';
import type { Route } from '#src/oft/insertion/cost.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import type { Plan, PlannedLayer } from '#src/oft/types.ts';
import { meanSquare, plainOptimiser } from '#src/program/testing/steps.ts';
import { compileTraining, type TrainingOptions } from '#src/program/training.ts';
import type { Program } from '#src/program/types.ts';

/** All layers of a graph; settings that are left out are the default ones. Refuses what does not fit. */
export function planAll(graph: Graph, settings: Partial<Plan> = {}): readonly PlannedLayer[] {
  const { planned, problems } = planLayers(findLayers(graph), { ...defaultSettings, rules: [], ...settings });
  const wrong = problems.find(({ severity }) => severity === 'error');
  if (wrong) throw new RangeError(wrong.message);
  return planned;
}

export const programOf = (
  graph: Graph,
  settings: Partial<Plan> = {},
  loss: TrainingOptions['loss'] = meanSquare,
  route: Route | 'auto' = 'auto',
): Program =>
  compileTraining({
    graph,
    layout: parameterLayout(planAll(graph, settings)),
    loss,
    optimiser: plainOptimiser,
    route,
  });

export const defaultStep = (graph: Graph, settings: Partial<Plan> = {}): Graph =>
  programOf(graph, settings).stages[0]!.graph;
