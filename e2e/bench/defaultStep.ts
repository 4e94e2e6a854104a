/** @file The training step of any graph as benchmarks take it: all layers by the default settings, the mean square of its first output for a loss. */
import type { Graph } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { meanSquare, plainOptimiser } from '#src/program/testing/steps.ts';
import { compileTraining } from '#src/program/training.ts';

export function defaultStep(graph: Graph): Graph {
  const { planned } = planLayers(findLayers(graph), { ...defaultSettings, rules: [] });
  const program = compileTraining({
    graph,
    layout: parameterLayout(planned),
    loss: meanSquare,
    optimiser: plainOptimiser,
  });
  return program.stages[0]!.graph;
}
