/**
 * @file Every graph of the zoo with its weights as inputs of the session, as programs run it, loads and gives what it gives with its weights inside; what hangs
 * on them alone is computed once.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { externalFiles, loadExternal } from '#src/onnx/external.ts';
import type { Model } from '#src/onnx/model.ts';
import { sizeOf, type TypedArray } from '#src/onnx/tensor.ts';
import { hostRotations } from '#src/oft/rotation/hostRotation.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { n, ramp, graphOf, model as modelOf, value, ints } from '#src/ops/testing/models.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { meanSquare, plainOptimiser } from '#src/program/testing/steps.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { compileForward } from '#src/program/forward.ts';
import { ownFeeds } from '#src/program/names.ts';
import { compileTraining } from '#src/program/training.ts';
import { createRuntime } from '#src/runtime/runtime.ts';
import type { Runtime } from '#src/runtime/types.ts';
import { random } from '#src/tasks/random.ts';
import { fixture, json } from './testing/fixtures.ts';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
});
afterAll(() => runtime.dispose());

const zoo = readdirSync(fileURLToPath(new URL('zoo', import.meta.url))).filter(
  (name) => (json(`zoo/${name}/case.json`) as { expect: string }).expect === 'train',
);

const again = [
  'sd-unet-dyn18',
  'sd2-unet-ts14',
  'vae-decoder-dyn20',
  'resnet18-dyn18',
  'resnet18-bn-ts14',
  'bert-cls-raw-dyn18',
];

/** A position embedding that is interpolated, between Transposes, as ViT exports have it; then a layer. */
const positions = (): Model =>
  modelOf(
    graphOf(
      [
        n('Transpose', ['pos'], ['p1'], { perm: [0, 3, 1, 2] }),
        n('Resize', ['p1', '', '', 'sizes'], ['p2'], {
          mode: 'cubic',
          coordinate_transformation_mode: 'half_pixel',
        }),
        n('Transpose', ['p2'], ['p3'], { perm: [0, 2, 3, 1] }),
        n('Reshape', ['p3', 'shape'], ['p4']),
        n('Add', ['x', 'p4'], ['a']),
        n('MatMul', ['a', 'w'], ['y']),
      ],
      { pos: ramp(1, 7, 7, 16), sizes: ints(1, 16, 4, 4), shape: ints(1, 16, 16), w: ramp(16, 8) },
      [value('x', 'float32', [2, 16, 16])],
      ['y'],
    ),
  );

function inputsOf(graph: Graph): Record<string, TypedArray> {
  return Object.fromEntries(
    graph.inputs.map(({ name, type, shape }, i): [string, TypedArray] => {
      const size = sizeOf(shape);
      return [
        name,
        type === 'float32'
          ? random(1, 'x', i).normal(size)
          : Int32Array.from({ length: size }, (_, k) => k % 2),
      ];
    }),
  );
}

function expectNear(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  const largest = Math.max(...Array.from(want, Math.abs), 1e-30);
  const apart = Math.max(...Array.from(want, (x, i) => Math.abs(x - got[i]!)));
  // Sessions fuse other nodes where weights are inputs: single precision may round otherwise.
  expect(apart / largest, what).toBeLessThan(5e-5);
}

async function sameAsInside(
  model: Model,
  dims: Readonly<Record<string, number>>,
  withTraining = true,
): Promise<void> {
  const graph = int32Inputs(importGraph(model, dims));
  const { planned } = planLayers(findLayers(graph), {
    ...defaultSettings,
    rules: [],
    blocks: { size: 4, fit: 'nearest' },
  });
  const layout = parameterLayout(planned);
  const inputs = inputsOf(graph);
  const theta = random(2, 'theta', 0)
    .normal(layout.size)
    .map((x) => x / 20);
  const forward = compileForward({ graph, layout });
  const training = compileTraining({
    graph,
    layout,
    loss: meanSquare,
    optimiser: { ...plainOptimiser, eps: 1e-3, clip: 0 },
  });
  const turned = ownFeeds(forward.feeds, hostRotations(layout, new Float32Array(layout.size)));
  const run = await runtime.load(forward);
  const got = await run.run({ ...inputs, ...turned }, forward.reads);
  await run.dispose();
  const asTensors = (feeds: Record<string, TypedArray>, all: Graph) =>
    Object.fromEntries(
      all.inputs.flatMap(({ name, type, shape }) =>
        feeds[name] ? [[name, { type, shape, data: feeds[name] }] as const] : [],
      ),
    );
  // The untouched model with its weights inside.
  const want = await runGraph(graph, asTensors(inputs, graph));
  for (const name of forward.reads)
    expectNear(got[name] as Float32Array, want[name]!.data as Float32Array, name);
  if (!withTraining) return;

  const step = await runtime.load(training);
  await step.writeState({ theta });
  const schedule = scheduleTensor(0.01, [0.9, 0.99], 1, true);
  const { loss, grad_norm: norm } = await step.run({ ...inputs, schedule }, ['loss', 'grad_norm']);
  await step.dispose();
  const whole = training.stages[0]!.graph;
  const state = Object.fromEntries(training.state.map((s) => [s.name, s.init]));
  const trained = await runGraph(whole, asTensors({ ...inputs, ...state, theta, schedule }, whole));
  expectNear(loss as Float32Array, trained['loss']!.data as Float32Array, 'loss');
  expectNear(norm as Float32Array, trained['grad_norm']!.data as Float32Array, 'norm');
}

describe('weights as inputs', () => {
  it.each(zoo)('%s', async (name) => {
    const { dims = {} } = json(`zoo/${name}/case.json`) as { dims?: Record<string, number> };
    const model = decodeModel(fixture(`zoo/${name}/model.onnx`));
    const files = new Map(externalFiles(model).map((file) => [file, fixture(`zoo/${name}/${file}`)]));
    // Of one network exported three times, one is enough for the larger graphs.
    await sameAsInside(loadExternal(model, files), dims, !again.includes(name));
  });

  it('interpolated position embeddings', async () => {
    const model = positions();
    await sameAsInside(model, {});
    const graph = importGraph(model);
    const { planned } = planLayers(findLayers(graph), { ...defaultSettings, rules: [] });
    const { stages } = compileForward({ graph, layout: parameterLayout(planned) });
    const left = stages[0]!.graph;
    expect(left.nodes.some((node) => node.inputs.includes('pos'))).toBe(false);
    expect([...left.constants.values()].some((c) => c.by)).toBe(true);
    // Whatever it is asked for again, the result is the same constant: held once on the device.
    const again = compileForward({ graph, layout: parameterLayout(planned) }).stages[0]!.graph;
    const computed = (g: Graph) => [...g.constants.values()].find((c) => c.by);
    expect(computed(again)).toBe(computed(left));
    expect(encodeGraph(left, { weightsAsInputs: new Set(stages[0]!.weights) }).length).toBeLessThan(20_000);
  });
});
