/** @file Two training steps of models from real exporters: the encoded step graph, what it is fed with, and what onnxruntime-web makes of it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePlan } from '#src/formats/plans/plan.ts';
import { readSafetensors, writeSafetensors } from '#src/formats/files/safetensors.ts';
import type { Builder } from '#src/graph/builder.ts';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Value } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { openGraph, withComputed } from '#src/ops/testing/runGraph.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import { compileTraining } from '#src/program/training.ts';
import { random } from '#src/tasks/random.ts';

/** Folders of e2e/golden/zoo, each from another exporter or family. */
const models = ['resnet18-ts17', 'bert-cls-dyn18', 'gpt2-dyn20', 'sd-unet-ts17'] as const;
const STEPS = 2;
const betas = [0.9, 0.999] as const;
const plan = parsePlan('blocks = { size = 4, fit = "nearest" }');

/** Mean of squares of all float outputs against targets of one standard deviation. */
function squaredError(g: Builder, outputs: ReadonlyMap<string, Value>): LossSum {
  const errors = [...outputs].flatMap(([name, y]) => {
    if (y.type !== 'float32') return [];
    const d = g.sub(y, g.input(`target.${name}`, 'float32', y.shape));
    return [
      g.reduceMean(
        g.mul(d, d),
        y.shape.map((_, i) => i),
      ),
    ];
  });
  return meanOver(
    g,
    errors.reduce((a, b) => g.add(a, b)),
  );
}

async function write(zoo: string, name: string, folder: string): Promise<void> {
  const model = decodeModel(new Uint8Array(await readFile(join(zoo, name, 'model.onnx'))));
  const { dims } = JSON.parse(await readFile(join(zoo, name, 'case.json'), 'utf8')) as {
    dims: Record<string, number>;
  };
  const golden = readSafetensors(
    new Uint8Array(await readFile(join(zoo, name, 'golden.safetensors'))),
  ).tensors;
  const graph = int32Inputs(importGraph(model, dims));
  const { planned, problems } = planLayers(findLayers(graph), plan);
  const fault = problems.find((p) => p.severity === 'error');
  if (fault) throw new Error(`${name}: ${fault.message}`);
  const program = compileTraining({
    graph,
    layout: parameterLayout(planned),
    loss: squaredError,
    optimiser: { betas, eps: 1e-8, weightDecay: 0.01, clip: 1, accumulate: 1, blockwiseRate: true },
  });
  // Another runtime takes the file alone.
  const step = await withComputed(program.stages[0]!.graph);
  const feeds: Record<string, Tensor> = {};
  for (const { name: feed, type, shape } of program.feeds) {
    if (feed === 'schedule') continue;
    const given = golden.get(`input.${feed}`);
    feeds[feed] = given
      ? tensor(type, shape, numbersOf(given))
      : tensor(type, shape, random(0, feed, 0).normal(sizeOf(shape)));
  }
  const out = join(folder, name);
  await mkdir(out, { recursive: true });
  await writeFile(join(out, 'step.onnx'), encodeGraph(step, { weightsAsInputs: new Set() }));
  const run = await openGraph(step);
  let state: Record<string, Tensor> = Object.fromEntries(
    program.state.map((s) => [s.name, { type: s.type, shape: s.shape, data: s.init }]),
  );
  const begin = state;
  const files = new Map(
    [...Object.entries(feeds), ...Object.entries(begin)].map(([key, t]) => [`feed.${key}`, t]),
  );
  for (let i = 0; i < STEPS; i++) {
    const schedule = tensor('float32', [4], scheduleTensor(0.01, betas, i + 1, true));
    files.set(`schedule.${i}`, schedule);
    const results = await run.run({ ...feeds, schedule, ...state });
    for (const read of ['loss', 'grad_norm']) files.set(`want.${read}.${i}`, results[read]!);
    state = Object.fromEntries(program.state.map((s) => [s.name, results[s.output]!]));
  }
  for (const [key, t] of Object.entries(state)) files.set(`want.state.${key}`, t);
  await run.release();
  await writeFile(join(out, 'tensors.safetensors'), writeSafetensors(files));
}

/**
 * @param zoo the folder of exporters' models, absolute
 * @param folder gets a folder per model: step.onnx, and tensors.safetensors with `feed.<input>`, `schedule.<step>`,
 *   `want.<loss, grad_norm>.<step>` and `want.state.<name>` after the last step
 */
export async function run(zoo: string, folder: string, say: (text: string) => void): Promise<void> {
  for (const name of models) {
    await write(zoo, name, folder);
    say(`  ${name}: ${STEPS} steps`);
  }
}
