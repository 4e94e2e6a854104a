/** @file A model may call its values and nodes anything, the names that Rotune itself makes up among them: the numbers are the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Model } from '#src/onnx/model.ts';
import { sizeOf, type Tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { keepFeed, keepLength } from '#src/oft/rotation/dropout.ts';
import { hostRotations } from '#src/oft/rotation/hostRotation.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { plainOptimiser, squaredError } from '#src/program/testing/steps.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { compileForward } from '#src/program/forward.ts';
import { ownFeeds } from '#src/program/names.ts';
import { leastMemory } from '#src/program/recompute.ts';
import { compileTraining } from '#src/program/training.ts';
import { createRuntime } from '#src/runtime/runtime.ts';
import type { Runtime } from '#src/runtime/types.ts';
import { random } from '#src/tasks/random.ts';
import { computeGradients } from '../../scripts/check/compute.ts';
import { fixture, json } from './testing/fixtures.ts';
import { renamedModel, valueNames } from './testing/renamed.ts';

const models = ['mlp-ts14', 'bert-cls-dyn18', 'gpt2-past-optimum18', 'llama-int4-nbits', 'resnet18-bn-ts14'];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
});
afterAll(() => runtime.dispose());

const tasksOwn = [
  'target',
  'weight',
  'next_tokens',
  'counted',
  'places',
  'loss_sum',
  'loss_weight',
  'text_encoders/hidden_states',
];

/** What else a name may be. */
const strange = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '0',
  'a b',
  'Größe/∑',
  'model',
  'length',
  'cotangent.y',
];

const stateful = {
  ...defaultSettings,
  rules: [],
  moduleDropout: 0.5,
  rescale: true,
  blocks: { size: 4, fit: 'nearest' },
} as const;

function programs(model: Model, dims: Readonly<Record<string, number>>) {
  const graph = int32Inputs(importGraph(model, dims));
  const { planned } = planLayers(findLayers(graph), stateful);
  const layout = parameterLayout(planned);
  const training = compileTraining({
    graph,
    layout,
    loss: squaredError,
    optimiser: { ...plainOptimiser, eps: 1e-3, accumulate: 2 },
  });
  return { graph, layout, training, forward: compileForward({ graph, layout }) };
}

/** Numbers for an input that depend on its place alone. */
function numbersFor(graph: Graph): TypedArray[] {
  return graph.inputs.map(({ type, shape }, i) => {
    const draw = random(1, 'input', i);
    const size = sizeOf(shape);
    if (type === 'float32') return draw.normal(size);
    return Int32Array.from({ length: size }, (_, k) => (i === 0 ? k % 7 : 1));
  });
}

/** Losses, parameters, outputs and gradients, by place. */
async function numbers(
  model: Model,
  dims: Readonly<Record<string, number>>,
  { theta: given, recompute = false }: { theta?: readonly number[]; recompute?: boolean } = {},
) {
  const { graph, layout, training: whole, forward } = programs(model, dims);
  const training = recompute ? leastMemory(whole).program : whole;
  const values = numbersFor(graph);
  const inputs = Object.fromEntries(graph.inputs.map((v, i) => [v.name, values[i]!]));
  const step = await runtime.load(training);
  const losses: number[] = [];
  const output = graph.outputs.find((v) => v.type === 'float32')!;
  const loss = random(2, 'target', 0).normal(sizeOf(output.shape));
  for (let k = 0; k < 4; k++) {
    const keep = random(3, 'keep', k)
      .uniform(keepLength(layout))
      .map((u) => Number(u > 0.5));
    const own = ownFeeds(training.feeds, {
      schedule: scheduleTensor(0.05, [0.9, 0.99], k + 1, k % 2 === 1),
      [keepFeed]: Float32Array.from(keep),
      target: loss,
    });
    const read = await step.run({ ...inputs, ...own }, [
      'loss',
      'grad_norm',
      'finite',
      'residual',
      'trace_next',
    ]);
    losses.push(Number(read['loss']![0]), Number(read['grad_norm']![0]), Number(read['finite']![0]));
  }
  const { theta } = await step.readState();
  await step.dispose();
  const drawn = await runtime.load(forward);
  const turned = ownFeeds(forward.feeds, hostRotations(layout, given ? Float32Array.from(given) : theta!));
  const made = await drawn.run({ ...inputs, ...turned }, forward.reads);
  await drawn.dispose();
  return {
    losses,
    theta: [...theta!],
    outputs: forward.reads.map((name) => [...(made[name]! as Float32Array)].map(Number)),
  };
}

/** What `npm run check` computes, in the order of inputs, outputs and weights. */
async function checked(model: Model, dims: Readonly<Record<string, number>>): Promise<number[][]> {
  const graph = importGraph(model, dims);
  const values = numbersFor(graph);
  const given = new Map<string, Tensor>();
  graph.inputs.forEach((v, i) =>
    given.set(`input.${v.name}`, {
      type: v.type === 'float32' ? 'float32' : 'int32',
      shape: v.shape,
      data: values[i]!,
    }),
  );
  for (const v of graph.outputs)
    if (v.type === 'float32')
      given.set(`cotangent.${v.name}`, {
        type: 'float32',
        shape: v.shape,
        data: random(4, 'dy', 0).normal(sizeOf(v.shape)),
      });
  const out = await computeGradients(model, graph, given, undefined, 1);
  return [...out.values()].map((t) => [...(t.data as Float32Array)].map(Number));
}

function expectSame(got: readonly number[], want: readonly number[], what: string): void {
  expect(got.length, what).toBe(want.length);
  const largest = Math.max(...want.map(Math.abs), 1e-30);
  const apart = Math.max(0, ...want.map((x, i) => Math.abs(x - got[i]!)));
  // The same sums: only the order of nodes, and so of additions, may differ.
  expect(apart / largest, what).toBeLessThan(1e-5);
}

describe.each(models.map((name, seed) => ({ name, seed })))('$name', ({ name, seed }) => {
  const model = decodeModel(fixture(`zoo/${name}/model.onnx`));
  const { dims = {} } = json(`zoo/${name}/case.json`) as { dims?: Record<string, number> };

  /** Every name that programs of this model hold besides the model's. */
  const own = (): string[] => {
    const { graph, training, forward } = programs(model, dims);
    const names = new Set([...tasksOwn, ...strange]);
    for (const { name: state, output } of training.state) names.add(state).add(output);
    for (const read of training.reads) names.add(read);
    for (const feed of [...training.feeds, ...forward.feeds]) names.add(feed.name);
    for (const { stages } of [training, forward])
      for (const value of stages[0]!.graph.values.keys()) if (!graph.values.has(value)) names.add(value);
    return [...names];
  };

  it('gives the same numbers whatever its values and nodes are called', async () => {
    const want = await numbers(model, dims);
    const wantChecked = await checked(model, dims);
    const names = own();
    const taken = [...valueNames(model.graph)];
    const fixed = tasksOwn.length + strange.length;
    const draw = random(seed, 'names', 0);
    const shuffled = (list: readonly string[]): string[] =>
      list
        .map((x) => [draw.uniform(1)[0]!, x] as const)
        .sort((a, b) => a[0] - b[0])
        .map(([, x]) => x);
    // The names that are written out by hand find values in every model, however few it has; inputs and outputs are the first.
    const few = shuffled([...names.slice(0, fixed), ...names.slice(fixed, fixed + 16)]);
    const pool = [
      ...few.slice(0, taken.length),
      ...shuffled(names.slice(fixed + 16)),
      ...few.slice(taken.length),
    ];
    const outputs = new Set(model.graph.outputs.map((v) => v.name));
    const values = new Map(
      taken.map((value, i) => {
        const named = pool[i] ?? `more_${i}`;
        // onnxruntime-web gives results as an object, in which that is no key.
        return [value, named === '__proto__' && outputs.has(value) ? 'proto' : named];
      }),
    );
    const nodes = shuffled(names);
    let next = 0;
    const changed = renamedModel(model, values, () =>
      next++ % 3 === 0 ? '' : (nodes[next % nodes.length] ?? ''),
    );
    const got = await numbers(changed, dims, { theta: want.theta, recompute: seed % 2 === 1 });
    expectSame(got.losses, want.losses, 'losses');
    expectSame(got.theta, want.theta, 'theta');
    got.outputs.forEach((y, i) => expectSame(y, want.outputs[i]!, `output ${i}`));
    const gotChecked = await checked(changed, dims);
    gotChecked.forEach((y, i) => expectSame(y, wantChecked[i]!, `check ${i}`));
  });
});
