/** @file The time of each kernel of a graph on WebAssembly with one thread, as ONNX Runtime's own profile has it. */
import fs from 'node:fs';
import * as ort from 'onnxruntime-web';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph } from '#src/graph/types.ts';
import { runInputs } from '#src/program/weights.ts';
import { feedsFor } from './feeds.ts';
import { type Kernel, kernelsOf } from './kernelEvents.ts';
import { processorTime } from './timing.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

export interface Profile {
  readonly kernels: readonly Kernel[];
  /** Milliseconds of processor time to create the session, and the least that a whole run took. */
  readonly create: number;
  readonly run: number;
}

/** Runs the graph so often under the profiler. */
export async function profile(graph: Graph, rounds: number): Promise<Profile> {
  const model = encodeGraph(graph, { weightsAsInputs: new Set(runInputs(graph)) });
  const begun = processorTime();
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'extended',
    enableProfiling: true,
  });
  const create = processorTime() - begun;
  const feeds = await feedsFor(graph);
  let run = Infinity;
  for (let i = 0; i < rounds; i++) {
    const start = processorTime();
    await session.run(feeds);
    run = Math.min(run, processorTime() - start);
  }
  const text = printed(() => {
    session.endProfiling();
  });
  await session.release();
  return { kernels: kernelsOf(text), create, run };
}

/** The profiler writes what it has seen to the standard output. */
function printed(end: () => void): string {
  const write = fs.writeSync;
  let text = '';
  fs.writeSync = (_: number, chunk: unknown): number => {
    text += String(chunk);
    return String(chunk).length;
  };
  try {
    end();
  } finally {
    fs.writeSync = write;
  }
  return text;
}
