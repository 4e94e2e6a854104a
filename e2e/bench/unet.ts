/** @file The built-in UNet as benchmarks train it: its graph, its step with the mean squared error, numbers to feed it. */
import { readFileSync } from 'node:fs';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import type { Route } from '#src/oft/insertion/cost.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import { plainOptimiser } from '#src/program/testing/steps.ts';
import { compileTraining } from '#src/program/training.ts';
import { random } from '#src/tasks/random.ts';
import type { Tensors } from '#src/tasks/types.ts';

/** Frozen. */
export const unet = (batch: number): Graph =>
  importGraph(decodeModel(readFileSync('public/models/emoji/unet/model.onnx')), { batch });

/** The mean squared error of the only output, pictures, against the feed "target". */
export function pictureError(g: Builder, outputs: ReadonlyMap<string, Value>): LossSum {
  const y = [...outputs.values()][0]!;
  const d = g.sub(y, g.input('target', 'float32', y.shape));
  return meanOver(g, g.reduceMean(g.reduceMean(g.mul(d, d), [2, 3]), [0, 1]));
}

/** A training step. @param planned all layers with the default settings where it is left out */
export const unetStep = (
  graph: Graph,
  planned: readonly PlannedLayer[] = planLayers(findLayers(graph), { ...defaultSettings, rules: [] }).planned,
  route?: Route | 'auto',
) =>
  compileTraining({
    graph,
    layout: parameterLayout(planned),
    ...(route && { route }),
    loss: pictureError,
    optimiser: plainOptimiser,
  });

/** Feeds of step i. @param draw from which the numbers are drawn anew */
export function unetFeeds(i: number, draw: number, batch: number, timestep: number): Tensors {
  const numbers = (name: string, n: number): Float32Array => random(0, name, draw).normal(n * batch);
  return {
    sample: numbers('sample', 3072),
    target: numbers('target', 3072),
    encoder_hidden_states: numbers('text', 12 * 96),
    timestep: new BigInt64Array(batch).fill(BigInt(timestep)),
    schedule: scheduleTensor(1e-4, plainOptimiser.betas, i + 1, true),
  };
}
