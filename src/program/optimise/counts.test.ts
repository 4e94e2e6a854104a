/**
 * @file How large the graphs of reference models are: nodes, those that are no views (each a dispatch on WebGPU), and the bytes that elementwise nodes read and
 * write. They follow from the code alone, so that a rule that takes more passes shows here, without a clock. Smaller is welcome: lower the numbers then.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { byteLength } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { compileForward } from '../forward.ts';
import { meanSquare, plainOptimiser } from '../testing/steps.ts';
import { compileTraining } from '../training.ts';

const views = new Set(['Reshape', 'Identity']);
const elementwise = new Set(
  'Add Sub Mul Div Neg Exp Log Sqrt Erf Sigmoid Tanh Where Greater Equal ReduceSum ReduceMean Transpose Concat Split'.split(
    ' ',
  ),
);

function measure(graph: Graph) {
  const bytes = (name: string): number => {
    const value = graph.values.get(name);
    return value && value.type !== 'string' ? byteLength(value.type, value.shape) : 0;
  };
  const moved = graph.nodes
    .filter(({ op }) => elementwise.has(op))
    .flatMap(({ inputs, outputs }) => [...inputs, ...outputs])
    .reduce((sum, name) => sum + bytes(name), 0);
  return {
    nodes: graph.nodes.length,
    dispatches: graph.nodes.filter(({ op }) => !views.has(op)).length,
    megabytes: Math.round(moved / 2 ** 20),
  };
}

const unet = importGraph(decodeModel(readFileSync('public/models/emoji/unet/model.onnx')), { batch: 4 });
const layout = parameterLayout(planLayers(findLayers(unet), { ...defaultSettings, rules: [] }).planned);

/** At most so many, and at least 98 % of it: a large step forward is to be written down. */
function expectAbout(found: ReturnType<typeof measure>, most: ReturnType<typeof measure>): void {
  for (const key of ['nodes', 'dispatches', 'megabytes'] as const) {
    expect(found[key], key).toBeLessThanOrEqual(most[key]);
    expect(found[key], key).toBeGreaterThanOrEqual(Math.floor(0.98 * most[key]));
  }
}

it('the built-in UNet’s training step at batch 4, all 133 layers', () => {
  expect(layout.planned).toHaveLength(133);
  const program = compileTraining({ graph: unet, layout, loss: meanSquare, optimiser: plainOptimiser });
  expectAbout(measure(program.stages[0]!.graph), { nodes: 3616, dispatches: 2635, megabytes: 1002 });
});

it('the same in blocks of 32, whose inverses take rounds', () => {
  const plan = { ...defaultSettings, blocks: { size: 32, fit: 'nearest' }, rules: [] } as const;
  const program = compileTraining({
    graph: unet,
    layout: parameterLayout(planLayers(findLayers(unet), plan).planned),
    loss: meanSquare,
    optimiser: plainOptimiser,
  });
  expectAbout(measure(program.stages[0]!.graph), { nodes: 3739, dispatches: 2757, megabytes: 1171 });
});

it('the same under rotations that the host computes, as samples are drawn', () => {
  const program = compileForward({ graph: unet, layout });
  expectAbout(measure(program.stages[0]!.graph), { nodes: 1105, dispatches: 718, megabytes: 211 });
});
