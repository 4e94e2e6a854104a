/**
 * @file How large the graphs of reference models are: nodes, those that are no views (each a dispatch on WebGPU), and the kilobytes that elementwise nodes read and
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
import { int32Inputs } from '#src/ops/lowering/int32.ts';
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
    kilobytes: Math.round(moved / 2 ** 10),
  };
}

const unet = importGraph(decodeModel(readFileSync('public/models/emoji/unet/model.onnx')), { batch: 4 });
const layout = parameterLayout(planLayers(findLayers(unet), { ...defaultSettings, rules: [] }).planned);

/** At most so many, and at least 98 % of it: a large step forward is to be written down. */
function expectAbout(found: ReturnType<typeof measure>, most: ReturnType<typeof measure>): void {
  for (const key of ['nodes', 'dispatches', 'kilobytes'] as const) {
    expect(found[key], key).toBeLessThanOrEqual(most[key]);
    expect(found[key], key).toBeGreaterThanOrEqual(Math.floor(0.98 * most[key]));
  }
}

it('the built-in UNet’s training step at batch 4, all 133 layers', () => {
  expect(layout.planned).toHaveLength(133);
  const program = compileTraining({ graph: unet, layout, loss: meanSquare, optimiser: plainOptimiser });
  expectAbout(measure(program.stages[0]!.graph), { nodes: 3616, dispatches: 2635, kilobytes: 1_026_169 });
});

it('the same in blocks of 32, whose inverses take rounds', () => {
  const plan = { ...defaultSettings, blocks: { size: 32, fit: 'nearest' }, rules: [] } as const;
  const program = compileTraining({
    graph: unet,
    layout: parameterLayout(planLayers(findLayers(unet), plan).planned),
    loss: meanSquare,
    optimiser: plainOptimiser,
  });
  expectAbout(measure(program.stages[0]!.graph), { nodes: 3739, dispatches: 2757, kilobytes: 1_199_570 });
});

it('the same under rotations that the host computes, as samples are drawn', () => {
  const program = compileForward({ graph: unet, layout });
  expectAbout(measure(program.stages[0]!.graph), { nodes: 1105, dispatches: 718, kilobytes: 215_807 });
});

/** The step of a model of the zoo, all of its layers in blocks of 4. */
function stepOf(name: string, dims: Readonly<Record<string, number>>): Graph {
  const file = readFileSync(`e2e/golden/zoo/${name}/model.onnx`);
  const graph = int32Inputs(importGraph(decodeModel(file), dims));
  const plan = { ...defaultSettings, rules: [], blocks: { size: 4, fit: 'nearest' } } as const;
  const { planned } = planLayers(findLayers(graph), plan);
  const options = { graph, layout: parameterLayout(planned), loss: meanSquare, optimiser: plainOptimiser };
  return compileTraining(options).stages[0]!.graph;
}

it.each([
  ['vit-timm-dyn18', { batch: 2 }, { nodes: 467, dispatches: 364, kilobytes: 3558 }],
  ['gpt2-ts17', { batch_size: 2, sequence_length: 7 }, { nodes: 430, dispatches: 329, kilobytes: 3095 }],
  ['resnet18-ts17', { batch: 2, height: 32, width: 32 }, { nodes: 548, dispatches: 429, kilobytes: 4638 }],
] as const)('the training step of %s', (name, dims, most) => {
  expectAbout(measure(stepOf(name, dims)), most);
});
