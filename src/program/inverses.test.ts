/** @file The inverses that a training step hands on: through steps that are left out, micro-batches that add up, and dropout. */
import { expect, it } from 'vitest';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { keepFeed } from '#src/oft/rotation/dropout.ts';
import { hostInverses } from '#src/oft/rotation/inverses.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import type { LayerSettings } from '#src/oft/types.ts';
import { constantOf, numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { openGraph } from '#src/ops/testing/runGraph.ts';
import { builder } from '#src/ops/table.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { random } from '#src/tasks/random.ts';
import { plainOptimiser, squaredError } from './testing/steps.ts';
import { compileTraining } from './training.ts';

const normal = (shape: readonly number[], name: string): Tensor =>
  tensor('float32', shape, random(0, name, 0).normal(sizeOf(shape)));

/** A product of [4, 16] with 16 outputs in blocks of 8, off the identity. */
async function stepOf(settings: Partial<LayerSettings> = {}, accumulate = 1) {
  const g = builder();
  const w = g.initializer('w', constantOf(normal([16, 16], 'w')));
  g.output(g.emit('MatMul', [g.input('x', 'float32', [4, 16]), w]), 'y');
  const graph = g.build();
  const plan = { ...defaultSettings, rules: [], blocks: { size: 8 }, ...settings };
  const layout = parameterLayout(planLayers(findLayers(graph), plan).planned);
  const optimiser = { ...plainOptimiser, accumulate };
  const program = compileTraining({ graph, layout, loss: squaredError, optimiser });
  const step = program.stages[0]!.graph;
  const run = await openGraph(step);
  const theta = numbersOf(normal([layout.size], 'theta')).map((x) => x / 5);
  const begun = { theta, ...hostInverses(layout, Float32Array.from(theta)) };
  const state: Record<string, Tensor> = Object.fromEntries(
    program.state.map(({ name, type, shape, init }) => [
      name,
      tensor(type, shape, name in begun ? begun[name as keyof typeof begun] : init),
    ]),
  );
  return {
    state,
    layout,
    release: () => run.release(),
    /** What comes out, the next state under the names of this. */
    async step(given: Record<string, Tensor>, { x = normal([4, 16], 'x'), due = true, keep = [1, 1] } = {}) {
      const schedule = tensor('float32', [4], scheduleTensor(0.01, [0.9, 0.99], 1, due));
      const feeds = {
        x,
        target: normal([4, 16], 'target'),
        schedule,
        ...given,
        [keepFeed]: tensor('float32', [keep.length], keep),
      };
      const out = await run.run(
        Object.fromEntries(step.inputs.map(({ name }) => [name, feeds[name as keyof typeof feeds]])),
      );
      return {
        out,
        next: Object.fromEntries(program.state.map((s) => [s.name, out[s.output]!])),
      };
    },
  };
}

const M = 'inverse_8';
const residualOf = (out: Record<string, Tensor>): number => numbersOf(out['residual']!)[0]!;

it('belong to the parameters that the step began with', async () => {
  const { state, layout, step, release } = await stepOf();
  const { next } = await step(state);
  const found = hostInverses(layout, state['theta']!.data as Float32Array)[M]!;
  numbersOf(next[M]!).forEach((x, i) => expect(x).toBeCloseTo(found[i]!, 6));
  expect(numbersOf(next['theta']!)).not.toEqual(numbersOf(state['theta']!));
  await release();
});

it('stay whole through a step that is left out', async () => {
  const { state, step, release } = await stepOf();
  const x = tensor('float32', [4, 16], Array<number>(64).fill(NaN));
  const { out, next } = await step(state, { x });
  expect(numbersOf(out['finite']!)).toEqual([0]);
  expect(next['theta']).toEqual(state['theta']);
  expect(residualOf(out)).toBeLessThan(2e-6);
  expect(numbersOf(next[M]!).every(Number.isFinite)).toBe(true);
  expect(residualOf((await step(next)).out)).toBeLessThan(2e-6);
  await release();
});

it('are the same for all micro-batches of an update', async () => {
  const { state, step, release } = await stepOf({}, 2);
  const moved = (await step((await step(state, { due: false })).next)).next;
  const { next } = await step(moved, { due: false });
  expect(next[M]).toEqual(moved[M]);
  expect((await step(next)).next[M]).not.toEqual(moved[M]);
  await release();
});

it('follow blocks that dropout leaves out of a step', async () => {
  const { state, step, release } = await stepOf({ rankDropout: 0.5 });
  const { out, next } = await step(state, { keep: [0, 1] });
  const all = await step(state);
  expect(next[M]).toEqual(all.next[M]);
  expect(residualOf(out)).toBeLessThan(2e-6);
  // The block that was left out stays as it is; the other one moves.
  const [before, after] = [numbersOf(state['theta']!), numbersOf(next['theta']!)];
  expect(after.slice(0, 64)).toEqual(before.slice(0, 64));
  expect(after.slice(64)).not.toEqual(before.slice(64));
  expect(numbersOf(out['loss']!)).not.toEqual(numbersOf(all.out['loss']!));
  await release();
});
