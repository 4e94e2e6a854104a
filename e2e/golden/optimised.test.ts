/** @file What makes fewer nodes of a step (src/program/optimise) changes no number: every model of the zoo that trains, with and without. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { withInverses } from '#src/oft/rotation/inverses.ts';
import { type Layout, parameterLayout } from '#src/oft/rotation/parameters.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { loadSmall } from '#src/onnx/external.ts';
import { numbersOf, sizeOf, tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { plainOptimiser, squaredError } from '#src/program/testing/steps.ts';
import { compileTraining, type Passes } from '#src/program/training.ts';
import type { Program } from '#src/program/types.ts';
import type { LoadExternal } from '#src/runtime/types.ts';
import { random } from '#src/tasks/random.ts';
import { graphRuntime } from '#workers/trainer/testing/graphRuntime.ts';
import { fixture, json, tensors } from './testing/fixtures.ts';

interface Case {
  readonly expect: 'train' | 'refusal' | 'either';
  readonly dims?: Readonly<Record<string, number>>;
}

const zoo = new URL('zoo/', import.meta.url);
const cases = readdirSync(zoo)
  .map((name) => ({ ...(json(`zoo/${name}/case.json`) as Case), name }))
  .filter((c) => c.expect !== 'refusal');

const untouched: Passes = { model: (graph) => graph, step: (graph) => graph };
const runtime = graphRuntime();
const STEPS = 2;

/** Reads files beside a model. */
const besides =
  (name: string): LoadExternal =>
  (location, offset, length) => {
    const file = openSync(fileURLToPath(new URL(`${name}/${location}`, zoo)), 'r');
    try {
      const bytes = new Uint8Array(length);
      readSync(file, bytes, 0, length, offset);
      return Promise.resolve(bytes);
    } finally {
      closeSync(file);
    }
  };

/** The golden inputs; a target beside them. */
function feedsOf(name: string, { feeds }: Program): Record<string, TypedArray> {
  const golden = tensors(`zoo/${name}/golden.safetensors`);
  return Object.fromEntries(
    feeds
      .filter((feed) => feed.own !== 'schedule')
      .map(({ name: feed, type, shape }) => {
        const given = golden.get(`input.${feed}`);
        const values = given ? numbersOf(given) : random(0, feed, 0).normal(sizeOf(shape));
        return [feed, tensor(type, shape, values).data];
      }),
  );
}

/** What two steps off the identity offer to be read, and the state that they end in. */
async function trained(name: string, program: Program, layout: Layout): Promise<Record<string, number[]>> {
  const step = await runtime.load(program, besides(name));
  const noise = random(0, 'theta', 0).normal(layout.size);
  const start = program.state.find((s) => s.name === 'theta')!.init;
  await step.writeState(withInverses(layout, { theta: start.map((x, i) => x + noise[i]! / 20) }));
  const seen: Record<string, number[]> = {};
  for (let k = 0; k < STEPS; k++) {
    const schedule = scheduleTensor(0.01, plainOptimiser.betas, k + 1, true);
    const out = await step.run({ ...feedsOf(name, program), schedule }, program.reads);
    for (const [read, values] of Object.entries(out)) seen[`${read} ${k}`] = Array.from(values, Number);
  }
  const state = await step.readState();
  await step.dispose();
  for (const [key, values] of Object.entries(state)) seen[key] = [...values];
  return seen;
}

/** Both ways of a model's step. */
function programs(graph: Graph): { layout: Layout; optimised: Program; plain: Program } {
  const plan = { ...defaultSettings, rules: [], blocks: { size: 8, fit: 'nearest' } } as const;
  const layout = parameterLayout(planLayers(findLayers(graph), plan).planned);
  // A large eps: else a gradient that is all rounding moves its number by a whole rate, this way or that.
  const options = { graph, layout, loss: squaredError, optimiser: { ...plainOptimiser, eps: 1e-3 } };
  return { layout, optimised: compileTraining(options), plain: compileTraining(options, untouched) };
}

describe('the numbers of two steps are the same, by fewer nodes', () => {
  it.each(cases)('$name', async ({ name, dims = {} }) => {
    const model = await loadSmall(decodeModel(fixture(`zoo/${name}/model.onnx`)), besides(name));
    const { layout, optimised, plain } = programs(int32Inputs(importGraph(model, dims)));
    const count = ({ stages }: Program): number => stages[0]!.graph.nodes.length;
    expect(count(optimised)).toBeLessThan(count(plain));
    const want = await trained(name, plain, layout);
    const got = await trained(name, optimised, layout);
    expect(Object.keys(got)).toEqual(Object.keys(want));
    for (let k = 0; k < STEPS; k++) {
      expect(want[`finite ${k}`]).toEqual([1]);
      expect(want[`grad_norm ${k}`]![0]).toBeGreaterThan(1e-6);
    }
    for (const [what, values] of Object.entries(want)) {
      // Residuals are themselves rounding.
      if (/residual|trace|inverse/.test(what)) continue;
      const largest = Math.max(...values.map(Math.abs), 1e-30);
      const apart = Math.max(...values.map((x, i) => Math.abs(x - got[what]![i]!)));
      expect(apart / largest, what).toBeLessThan(1e-6);
    }
  });
});
