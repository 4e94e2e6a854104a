/** @file How long it takes from a large model's file to its parameter table and to an encoded step graph, and how much memory. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { encodeGraph } from '#src/graph/encode.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { loadSmall } from '#src/onnx/external.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { preflight } from '#src/oft/preflight/preflight.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { builder } from '#src/ops/table.ts';
import { plainOptimiser } from '#src/program/testing/steps.ts';
import { compileTraining } from '#src/program/training.ts';
import { runInputs } from '#src/program/weights.ts';
import { defaultStep } from './defaultStep.ts';
import { pictureError } from './unet.ts';

const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

/** Reads ranges only, as the worker does. */
function ranges(folder: string) {
  return (location: string, offset: number, length: number): Promise<Uint8Array> => {
    const file = openSync(path.join(folder, location), 'r');
    try {
      const bytes = new Uint8Array(length);
      readSync(file, bytes, 0, length, offset);
      return Promise.resolve(bytes);
    } finally {
      closeSync(file);
    }
  };
}

/** Blocks of Gemm, Tanh, LayerNormalization and a residual Add, as a file. */
function stack(nodes: number): Uint8Array {
  const g = builder();
  const width = 16;
  let x = g.input('x', 'float32', [4, width]);
  const ones = g.initializer('ones', constantOf(tensor('float32', [width], Array<number>(width).fill(1))));
  const weight = Array.from({ length: width * width }, (_, i) => 0.2 * Math.sin(i));
  for (let i = 0; i < nodes / 4; i++) {
    const w = g.initializer(`layers.${i}.weight`, constantOf(tensor('float32', [width, width], weight)));
    const h = g.emit('Tanh', [g.emit('Gemm', [x, w], { transB: 1 }, { name: `/layers.${i}/Gemm` })]);
    x = g.add(x, g.emit('LayerNormalization', [h, ones], { axis: -1 }));
  }
  g.output(x, 'y');
  return encodeGraph(g.build(), { weightsAsInputs: new Set() });
}

/** Milliseconds per 1,000 nodes from file to encoded step graph. */
function linear(): void {
  for (const nodes of [1000, 1000, 5000, 20_000]) {
    const file = stack(nodes);
    const start = performance.now();
    const graph = importGraph(decodeModel(file), {});
    const step = defaultStep(graph);
    encodeGraph(step, { weightsAsInputs: new Set(runInputs(step)) });
    const ms = performance.now() - start;
    console.log(
      `${String(nodes).padStart(6)} nodes → ${step.nodes.length} in the step: ${ms.toFixed(0)} ms, ${((1000 * ms) / nodes).toFixed(0)} ms per 1,000`,
    );
  }
}

/** Without a file: growing stacks, the first twice to warm up. With one (e2e/bench/sd15.py makes it): that model, in laps. */
export async function main(file = '', batch = 1): Promise<void> {
  if (file === '') {
    linear();
    return;
  }
  if (!statSync(file, { throwIfNoEntry: false })) throw new Error(`There is no file ${file}.`);
  const start = performance.now();
  const lap = (what: string): void => {
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    console.log(
      `${((performance.now() - start) / 1000).toFixed(2).padStart(6)} s  ${what.padEnd(44)} heap ${megabytes(heapUsed)} MB, buffers ${megabytes(arrayBuffers)} MB, resident ${megabytes(rss)} MB`,
    );
  };
  const model = await loadSmall(decodeModel(readFileSync(file)), ranges(path.dirname(file)));
  lap('decoded');
  const graph = importGraph(model, { batch });
  lap(`bound and folded: ${graph.nodes.length} nodes`);
  const layers = findLayers(graph);
  const flight = preflight(layers, { ...defaultSettings, rules: [] });
  lap(`parameter table: ${flight.rows.length} layers, ${flight.totals.stored} numbers`);
  const planned = flight.rows.flatMap((r) => r.planned ?? []);
  const program = compileTraining({
    graph,
    layout: parameterLayout(planned),
    loss: pictureError,
    optimiser: plainOptimiser,
  });
  const step = program.stages[0]!.graph;
  lap(`step graph: ${step.nodes.length} nodes`);
  const bytes = encodeGraph(step, { weightsAsInputs: new Set(runInputs(step)) });
  lap(`encoded: ${megabytes(bytes.length)} MB`);
}
