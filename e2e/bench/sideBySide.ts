/** @file Graphs timed side by side on wasm with one thread. */
import * as ort from 'onnxruntime-web';
import type { Graph } from '#src/graph/types.ts';
import { encodeGraph } from '#src/graph/encode.ts';
import { runInputs } from '#src/program/weights.ts';
import { feedsFor } from './feeds.ts';
import { inTurn, ratioOf, spreadOf, type Timed } from './timing.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

export interface Prepared extends Timed {
  readonly label: string;
  readonly nodes: number;
  release(): Promise<void>;
}

export async function prepare(label: string, graph: Graph): Promise<Prepared> {
  const bytes = encodeGraph(graph, { weightsAsInputs: new Set(runInputs(graph)) });
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'extended',
  });
  const feeds = await feedsFor(graph);
  return {
    label,
    nodes: graph.nodes.length,
    run: async () => {
      await session.run(feeds);
    },
    release: () => session.release(),
  };
}

/** Runs all in turn, `rounds` times after a warm-up, and prints label, nodes, median ms and the ratio to the first. */
export async function compare(title: string, entries: readonly Prepared[], rounds: number): Promise<void> {
  const times = await inTurn(entries, rounds);
  const medians = times.map((own) => spreadOf(own).median);
  console.log(`${title}, ${rounds} rounds, one thread`);
  entries.forEach((e, k) => {
    console.log(
      `${e.label.padEnd(34)} ${String(e.nodes).padStart(5)} nodes ${medians[k]!.toFixed(0).padStart(6)} ms  ${ratioOf(times[k]!, times[0]!).median.toFixed(2)}×  (${(medians[k]! / medians[0]!).toFixed(2)}× of medians)`,
    );
  });
}
