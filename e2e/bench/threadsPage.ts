/** @file The page's half of the threads bench: one graph of a small network, run by so many threads, with the time of whole runs and of each operator. */
import * as ort from 'onnxruntime-web';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph } from '#src/graph/types.ts';
import { runInputs } from '#src/program/weights.ts';
import { defaultStep } from './defaultStep.ts';
import { feedsFor } from './feeds.ts';
import { byOperator, kernelsOf } from './kernelEvents.ts';
import { convNet, vit } from './networks.ts';

const networks: Readonly<Record<string, () => Graph>> = {
  'Conv net 3-32-64-64, 32², batch 16': () => convNet(16),
  'ViT, 4 × 192, batch 4': () => vit(4),
};

export const names = (): string[] => Object.keys(networks);

export interface Run {
  /** Milliseconds by the clock, by round. */
  readonly times: number[];
  /** The least milliseconds of each operator's kernels together. */
  readonly operators: [string, number][];
  readonly isolated: boolean;
}

/** A realm has one number of threads: every number wants a page of its own. */
export async function measure(
  name: string,
  what: 'forward' | 'step',
  threads: number,
  rounds: number,
): Promise<Run> {
  // The profiler prints what it has seen; the runtime takes hold of this function when it starts.
  const print = console.log;
  let text = '';
  console.log = (...words: unknown[]) => (text += `${words.map(String).join(' ')}\n`);
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = new URL('/node_modules/onnxruntime-web/dist/', location.href).href;
  ort.env.logLevel = 'error';
  const plain = networks[name]!();
  const graph = what === 'forward' ? plain : defaultStep(plain);
  const feeds = await feedsFor(graph);
  const session = await ort.InferenceSession.create(
    encodeGraph(graph, { weightsAsInputs: new Set(runInputs(graph)) }),
    { executionProviders: ['wasm'], graphOptimizationLevel: 'extended', enableProfiling: true },
  );
  const times: number[] = [];
  for (let i = -3; i < rounds; i++) {
    const began = performance.now();
    await session.run(feeds);
    if (i >= 0) times.push(performance.now() - began);
  }
  session.endProfiling();
  console.log = print;
  await session.release();
  return { times, operators: [...byOperator(kernelsOf(text))], isolated: crossOriginIsolated };
}
