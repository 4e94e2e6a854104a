/** @file The time of each kernel of a graph on WebAssembly with one thread, as ONNX Runtime's own profile has it. */
import fs from 'node:fs';
import * as ort from 'onnxruntime-web';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph } from '#src/graph/types.ts';
import { runInputs } from '#src/program/weights.ts';
import { feedsFor } from './feeds.ts';
import { processorTime } from './timing.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

export interface Kernel {
  readonly op: string;
  /** As our graph, or ONNX Runtime's fusions, call it. */
  readonly node: string;
  /** Milliseconds: the least of all rounds, which other work on the machine disturbs the least. */
  readonly ms: number;
}

export interface Profile {
  readonly kernels: readonly Kernel[];
  /** Milliseconds of processor time to create the session, and the least that a whole run took. */
  readonly create: number;
  readonly run: number;
}

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name?: string; readonly node_index?: string };
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
  const events = printed(() => {
    session.endProfiling();
  });
  await session.release();
  const least = new Map<string, Kernel>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const ms = dur / 1000;
    const key = args.node_index ?? name;
    const before = least.get(key);
    if (!before || ms < before.ms)
      least.set(key, { op: args.op_name ?? '?', node: name.slice(0, -'_kernel_time'.length), ms });
  }
  return { kernels: [...least.values()], create, run };
}

/** The profiler writes what it has seen to the standard output, an event a line. */
function printed(end: () => void): Event[] {
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
  return text.split('\n').flatMap((line): Event[] => {
    const own = line.trim().replace(/,$/, '');
    return own.startsWith('{') ? [JSON.parse(own) as Event] : [];
  });
}
