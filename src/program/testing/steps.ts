/** @file What tests and benchmarks train by where they do not care: an optimiser, and losses of whatever comes out. */
import type { Builder } from '#src/graph/builder.ts';
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import type { Route } from '#src/oft/insertion/cost.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import type { Plan, PlannedLayer } from '#src/oft/types.ts';
import { compileTraining, type OptimiserOptions, type TrainingOptions } from '../training.ts';
import type { Program } from '../types.ts';

export const plainOptimiser: OptimiserOptions = {
  betas: [0.9, 0.99],
  eps: 1e-8,
  weightDecay: 0,
  clip: 1,
  accumulate: 1,
  blockwiseRate: false,
};

type Outputs = ReadonlyMap<string, Value>;

const firstFloats = (outputs: Outputs): Value => {
  const found = [...outputs.values()].find((v) => v.type === 'float32');
  if (!found) throw new GraphError('no float output');
  return found;
};

const meanSquareOf = (g: Builder, x: Value): LossSum =>
  meanOver(
    g,
    g.reduceMean(
      g.mul(x, x),
      x.shape.map((_, i) => i),
    ),
  );

/** Of the first output of floats. */
export const meanSquare = (g: Builder, outputs: Outputs): LossSum => meanSquareOf(g, firstFloats(outputs));

/** The same of its distance from the feed "target". */
export function squaredError(g: Builder, outputs: Outputs): LossSum {
  const y = firstFloats(outputs);
  return meanSquareOf(g, g.sub(y, g.input('target', 'float32', y.shape)));
}

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

/** Numbers in [−scale, scale] that only (seed, place) decides. */
export const noise = (seed: number, n: number, scale = 1): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: n }, (_, i) => scale * Math.sin((i + 1) * 12.9898 + seed * 78.233));
