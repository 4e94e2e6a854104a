/** @file Graphs of the built-in UNet timed side by side on wasm with one thread. */
import * as ort from 'onnxruntime-web';
import type { Graph } from '#src/graph/types.ts';
import { encodeGraph } from '#src/graph/encode.ts';
import { runInputs } from '#src/program/weights.ts';
import { feedsFor } from './feeds.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

export interface Prepared {
  readonly label: string;
  readonly nodes: number;
  run(): Promise<void>;
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
  };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** Runs all in turn, `rounds` times after a warm-up, and prints label, nodes, median ms and the ratio to the first. */
export async function compare(title: string, entries: readonly Prepared[], rounds: number): Promise<void> {
  const times = entries.map((): number[] => []);
  for (let i = 0; i <= rounds; i++)
    for (const [k, e] of entries.entries()) {
      const start = performance.now();
      await e.run();
      if (i > 0) times[k]!.push(performance.now() - start);
    }
  const base = median(times[0]!);
  console.log(`${title}, ${rounds} rounds, one thread`);
  entries.forEach((e, k) => {
    const ratios = times[k]!.map((t, i) => t / times[0]![i]!);
    console.log(
      `${e.label.padEnd(34)} ${String(e.nodes).padStart(5)} nodes ${median(times[k]!).toFixed(0).padStart(6)} ms  ${median(ratios).toFixed(2)}×  (${(median(times[k]!) / base).toFixed(2)}× of medians)`,
    );
  });
}
