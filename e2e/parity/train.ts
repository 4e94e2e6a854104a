/** @file A trainer with no page: fixed batches, squared error, AdamW; what it writes is compared with what other tools make of it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type AdapterInput, writeAdapter } from '#src/formats/adapters/adapterFiles.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import { torchWeights } from '#src/formats/onnx/onnxWeights.ts';
import type { Prefix } from '#src/formats/adapters/names.ts';
import { parsePlan } from '#src/formats/plans/plan.ts';
import { readSafetensors, writeSafetensors } from '#src/formats/files/safetensors.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { numbersOf, type Tensor } from '#src/onnx/tensor.ts';
import { hostRotations } from '#src/oft/rotation/hostRotation.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { type Layout, parameterLayout, readParameters } from '#src/oft/rotation/parameters.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { openGraph } from '#src/ops/testing/runGraph.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { compileForward } from '#src/program/forward.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import { compileTraining } from '#src/program/training.ts';

export interface TrainingCase {
  readonly name: string;
  /** Paths: an ONNX file; safetensors with `input.<name>.<i>` and `target.<i>` per batch; a folder to write to. */
  readonly model: string;
  readonly batches: string;
  readonly out: string;
  /** TOML. */
  readonly plan: string;
  readonly steps: number;
  readonly learningRate: number;
  readonly prefix?: Prefix;
  readonly formats: readonly AdapterFormat[];
}

export interface Trained {
  readonly losses: readonly number[];
  readonly layers: number;
}

const betas = [0.9, 0.999] as const;

/** Mean of squares over the model's first output. */
function squaredError(g: Builder, outputs: ReadonlyMap<string, Value>): LossSum {
  const y = [...outputs.values()][0]!;
  const d = g.sub(y, g.input('target', 'float32', y.shape));
  const axes = y.shape.map((_, i) => i);
  return meanOver(g, g.reduceMean(g.mul(d, d), axes));
}

/**
 * Trains, and writes `outputs.safetensors` (the first batch's `output.<name>` with the adapter at strength 1, and at 0.5 as
 * `half.<name>`) and one folder per format; a merged model also as `onnx-half`, float16 with its weights in a file of their own.
 */
export async function train(c: TrainingCase): Promise<Trained> {
  const model = decodeModel(new Uint8Array(await readFile(c.model)));
  const given = readSafetensors(new Uint8Array(await readFile(c.batches))).tensors;
  const batches = batchesOf(given);
  const graph = importGraph(model, { batch: [...batches[0]!.values()][0]!.shape[0]! });
  const found = findLayers(graph);
  const { planned, problems } = planLayers(found, parsePlan(c.plan));
  const fault = problems.find((p) => p.severity === 'error');
  if (fault) throw new Error(`${c.name}: ${fault.message}`);
  const layout = parameterLayout(planned);
  const { theta, losses } = await descend(graph, layout, batches, c);
  const outputs = new Map<string, Tensor>();
  for (const [label, strength] of [
    ['output', 1],
    ['half', 0.5],
  ] as const)
    for (const [name, t] of await forward(graph, layout, theta, batches[0]!, strength))
      outputs.set(`${label}.${name}`, t);
  await write(join(c.out, 'outputs.safetensors'), writeSafetensors(outputs));
  const input: AdapterInput = {
    layers: readParameters(layout, theta),
    meta: c.prefix === undefined ? {} : { prefix: c.prefix },
    weight: torchWeights(model),
    model: { model },
    others: found.filter((layer) => !planned.some((p) => p.layer === layer)),
  };
  for (const format of c.formats) await writeAll(join(c.out, format), format, input);
  if (c.formats.includes('onnx'))
    await writeAll(join(c.out, 'onnx-half'), 'onnx', {
      ...input,
      model: { model, precision: 'float16', external: true },
    });
  return { losses, layers: planned.length };
}

/** `input.sample.0` → batch 0's `sample`, `target.0` → its `target`. */
function batchesOf(given: ReadonlyMap<string, Tensor>): Map<string, Tensor>[] {
  const batches: Map<string, Tensor>[] = [];
  for (const [key, t] of given) {
    const parts = /^(?:input\.)?(.+)\.(\d+)$/.exec(key)!;
    (batches[Number(parts[2])] ??= new Map()).set(parts[1]!, t);
  }
  return batches;
}

async function descend(
  graph: Graph,
  layout: Layout,
  batches: readonly ReadonlyMap<string, Tensor>[],
  { steps, learningRate }: TrainingCase,
): Promise<{ theta: Float32Array; losses: number[] }> {
  const program = compileTraining({
    graph,
    layout,
    loss: squaredError,
    optimiser: { betas, eps: 1e-8, weightDecay: 0, clip: 1, accumulate: 1, blockwiseRate: false },
  });
  let state: Record<string, Tensor> = Object.fromEntries(
    program.state.map((x) => [x.name, { type: x.type, shape: x.shape, data: x.init }]),
  );
  const run = await openGraph(program.stages[0]!.graph);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const data = scheduleTensor(learningRate, betas, i + 1, true);
    const out = await run.run({
      ...Object.fromEntries(batches[i % batches.length]!),
      schedule: { type: 'float32', shape: [4], data },
      ...state,
    });
    losses.push(numbersOf(out['loss']!)[0]!);
    state = Object.fromEntries(program.state.map((x) => [x.name, out[x.output]!]));
  }
  await run.release();
  return { theta: state['theta']!.data as Float32Array, losses };
}

async function forward(
  graph: Graph,
  layout: Layout,
  theta: Float32Array,
  batch: ReadonlyMap<string, Tensor>,
  strength: number,
): Promise<Map<string, Tensor>> {
  const program = compileForward({ graph, layout });
  const rotations = hostRotations(layout, theta, strength);
  const feeds: Record<string, Tensor> = Object.fromEntries(batch);
  for (const { name, shape } of program.feeds)
    if (rotations[name]) feeds[name] = { type: 'float32', shape, data: rotations[name] };
  const run = await openGraph(program.stages[0]!.graph);
  const results = await run.run(feeds);
  await run.release();
  return new Map(program.reads.map((name) => [name, results[name]!]));
}

async function writeAll(folder: string, format: AdapterFormat, input: AdapterInput): Promise<void> {
  for (const file of (await writeAdapter(format, input)).files)
    await write(join(folder, file.path), file.bytes);
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
