/** @file Memory over a long run: steps of the built-in UNet through the runtime on wasm; the process's resident set should stay flat. */
import { readFileSync } from 'node:fs';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { meanOver } from '#src/optim/loss.ts';
import { compileTraining } from '#src/program/training.ts';
import { createRuntime } from '#src/runtime/runtime.ts';
import { random } from '#src/tasks/random.ts';

/** Prints resident set size in MB at regular points. */
export async function main(steps = 1000): Promise<void> {
  const graph = importGraph(decodeModel(readFileSync('public/models/emoji/unet/model.onnx')), { batch: 1 });
  const layout = parameterLayout(
    planLayers(findLayers(graph), {
      ...defaultSettings,
      rules: [],
    }).planned,
  );
  const program = compileTraining({
    graph,
    layout,
    loss: (g, outputs) => {
      const d = g.sub(outputs.get('out_sample')!, g.input('target', 'float32', [1, 3, 32, 32]));
      return meanOver(g, g.reduceMean(g.reduceMean(g.mul(d, d), [2, 3]), [0, 1]));
    },
    optimiser: {
      betas: [0.9, 0.99],
      eps: 1e-8,
      weightDecay: 0,
      clip: 1,
      accumulate: 1,
      blockwiseRate: false,
    },
  });
  const runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
  const step = await runtime.load(program);
  for (let i = 0; i <= steps; i++) {
    const draw = (name: string, n: number): Float32Array => random(0, name, i).normal(n);
    const out = await step.run(
      {
        sample: draw('sample', 3072),
        target: draw('target', 3072),
        encoder_hidden_states: draw('text', 12 * 96),
        timestep: BigInt64Array.of(BigInt(i % 1000)),
        schedule: scheduleTensor(1e-4, [0.9, 0.99], i + 1, true),
      },
      ['loss'],
    );
    if (i % (steps / 10) === 0)
      console.log(
        `step ${i}: resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB, loss ${out['loss']![0]}`,
      );
  }
  await runtime.dispose();
}
