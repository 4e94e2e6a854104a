/** @file Rotune's own step and the frozen forward pass, on ONNX Runtime Web with one thread. */
import * as ort from 'onnxruntime-web';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph } from '#src/graph/types.ts';
import { runInputs } from '#src/program/weights.ts';
import { feedsFor } from '../feeds.ts';
import { type Peer, type Problem, stepFeeds } from './problem.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** A graph's session with its feeds: the problem's numbers where it has them. */
async function opened(graph: Graph, problem: Problem) {
  const feeds = await problemFeeds(graph, problem);
  const session = await ort.InferenceSession.create(graphBytes(graph), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'extended',
  });
  return () => session.run(feeds);
}

export const graphBytes = (graph: Graph): Uint8Array =>
  encodeGraph(graph, { weightsAsInputs: new Set(runInputs(graph)) });

export async function problemFeeds(graph: Graph, problem: Problem): Promise<Record<string, ort.Tensor>> {
  const feeds = await feedsFor(graph);
  for (const [name, data] of Object.entries(stepFeeds(problem)))
    if (feeds[name]) feeds[name] = new ort.Tensor('float32', data as Float32Array, feeds[name].dims);
  return feeds;
}

export async function ours(problem: Problem): Promise<Peer> {
  const forward = await opened(problem.forward, problem);
  const step = await opened(problem.step.stages[0]!.graph, problem);
  return {
    name: 'Rotune, ONNX Runtime Web',
    forward: { run: async () => void (await forward()) },
    step: { run: async () => void (await step()) },
    async outcome() {
      const results = await step();
      const first = (name: string): number => Number((results[name]!.data as Float32Array)[0]);
      return { loss: first('loss'), norm: first('grad_norm') };
    },
  };
}
