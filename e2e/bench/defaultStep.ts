/** @file The graph of a training step as benchmarks take it: all layers by one choice of settings, the mean square of its first output for a loss. */
import type { Graph } from '#src/graph/types.ts';
import type { Plan } from '#src/oft/types.ts';
import { programOf } from '#src/program/testing/steps.ts';

export const defaultStep = (graph: Graph, settings: Partial<Plan> = {}): Graph =>
  programOf(graph, settings).stages[0]!.graph;
