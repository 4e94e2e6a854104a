/** @file A step in stages gives what the whole step gives, and holds less at once. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { keepFeed } from '#src/oft/rotation/dropout.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { openGraph } from '#src/ops/testing/runGraph.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { random } from '#src/tasks/random.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import { estimateMemory } from './memory.ts';
import { leastMemory, withRecomputation } from './recompute.ts';
import { compileTraining } from './training.ts';
import type { Program } from './types.ts';

const file = (path: string): Uint8Array =>
  readFileSync(new URL(`../../e2e/golden/zoo/${path}`, import.meta.url));

/** Mean of squares of all float outputs. */
function squares(g: Builder, outputs: ReadonlyMap<string, Value>): LossSum {
  const means = [...outputs.values()]
    .filter((y) => y.type === 'float32')
    .map((y) =>
      g.reduceMean(
        g.mul(y, y),
        y.shape.map((_, i) => i),
      ),
    );
  return meanOver(
    g,
    means.reduce((a, b) => g.add(a, b)),
  );
}

function programOf(name: string, accumulate = 1, dropout = 0, size = 4): Program {
  const { dims } = JSON.parse(new TextDecoder().decode(file(`${name}/case.json`))) as {
    dims: Record<string, number>;
  };
  const graph = int32Inputs(importGraph(decodeModel(file(`${name}/model.onnx`)), dims));
  const { planned } = planLayers(findLayers(graph), {
    ...defaultSettings,
    rules: [],
    moduleDropout: dropout,
    blocks: { size, fit: 'nearest' },
  });
  return compileTraining({
    graph,
    layout: parameterLayout(planned),
    loss: squares,
    // A large eps: else a gradient that is all rounding moves its number by a whole rate, this way or that.
    optimiser: {
      betas: [0.9, 0.999],
      eps: 1e-3,
      weightDecay: 0.01,
      clip: 1,
      accumulate,
      blockwiseRate: true,
    },
  });
}

/** Two micro-steps; all that the program offers, and its state. */
async function train(program: Program, accumulate = 1): Promise<Record<string, number[]>> {
  const stages = [];
  for (const { graph } of program.stages) stages.push({ graph, run: await openGraph(graph) });
  let state: Record<string, Tensor> = Object.fromEntries(
    program.state.map((s) => [
      s.name,
      {
        type: s.type,
        shape: s.shape,
        // Off the identity, where every gradient is at work.
        data:
          s.name === 'theta'
            ? random(0, 'theta', 0)
                .normal(s.init.length)
                .map((x) => x / 20)
            : s.init,
      },
    ]),
  );
  const seen: Record<string, number[]> = {};
  for (let i = 0; i < 2; i++) {
    const known: Record<string, Tensor> = { ...state };
    for (const { name, type, shape } of program.feeds)
      known[name] =
        name === 'schedule'
          ? tensor('float32', [4], scheduleTensor(0.01, [0.9, 0.999], 1, (i + 1) % accumulate === 0))
          : tensor(
              type,
              shape,
              name === keepFeed
                ? random(0, name, i)
                    .uniform(sizeOf(shape))
                    .map((x) => Number(x > 0.3))
                : type === 'float32'
                  ? random(0, name, i).normal(sizeOf(shape))
                  : name.includes('mask')
                    ? new Int32Array(sizeOf(shape)).fill(1)
                    : random(0, name, i).integers(sizeOf(shape), name.includes('type') ? 2 : 30),
            );
    for (const { graph, run } of stages) {
      const given = Object.fromEntries(graph.inputs.map((v) => [v.name, known[v.name]!]));
      Object.assign(known, await run.run(given));
    }
    for (const read of program.reads) seen[`${read} ${i}`] = numbersOf(known[read]!);
    state = Object.fromEntries(program.state.map((s) => [s.name, known[s.output]!]));
  }
  for (const { run } of stages) await run.release();
  for (const [name, t] of Object.entries(state)) seen[name] = numbersOf(t);
  return seen;
}

function expectSame(got: Record<string, number[]>, want: Record<string, number[]>): void {
  expect(Object.keys(got)).toEqual(Object.keys(want));
  for (const [name, values] of Object.entries(want)) {
    const largest = Math.max(...values.map(Math.abs), 1e-30);
    const apart = Math.max(...values.map((x, i) => Math.abs(x - got[name]![i]!)));
    // Sessions fuse other nodes than the whole does: single precision may round otherwise.
    expect(apart / largest, name).toBeLessThan(2e-5);
  }
}

const models = ['resnet18-ts17', 'bert-cls-dyn18', 'gpt2-dyn20', 'sd-unet-ts17', 'llama-ts17'];

describe('gives the losses and updates of the whole step', () => {
  it.each(models)('%s', async (name) => {
    const whole = programOf(name);
    const want = await train(whole);
    for (const segments of [2, 5]) {
      const cut = withRecomputation(whole, segments);
      expect(cut.stages.length).toBeGreaterThanOrEqual(3);
      expectSame(await train(cut), want);
    }
  });

  it.each([4, 8])('with accumulation and dropout, blocks of %i', async (size) => {
    const whole = programOf('sd-unet-ts17', 2, 0.3, size);
    expectSame(await train(withRecomputation(whole, 3), 2), await train(whole, 2));
  });
});

it('holds no value twice: a stage takes what an earlier one hands on', () => {
  const { stages } = withRecomputation(programOf('sd-unet-ts17'), 4);
  for (const { graph } of stages) {
    const made = new Set(graph.nodes.flatMap((n) => n.outputs));
    expect(graph.inputs.filter((v) => made.has(v.name))).toEqual([]);
  }
});

it('leastMemory finds a lower estimate where results dominate', () => {
  const whole = programOf('sd-unet-ts17');
  const { program, segments } = leastMemory(whole);
  expect(segments).toBeGreaterThan(1);
  expect(estimateMemory(program).activations).toBeLessThan(0.8 * estimateMemory(whole).activations);
});
