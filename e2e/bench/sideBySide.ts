/** @file Graphs of the built-in UNet timed side by side on wasm with one thread. */
import * as ort from 'onnxruntime-web';
import type { Graph } from '#src/graph/types.ts';
import { encodeGraph } from '#src/graph/encode.ts';
import { sizeOf, tensorOf, type TypedArray } from '#src/onnx/tensor.ts';
import { runInputs } from '#src/program/weights.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

export interface Prepared {
  readonly label: string;
  readonly nodes: number;
  run(): Promise<void>;
}

const fill = (type: string, shape: readonly number[]): TypedArray => {
  const n = sizeOf(shape);
  if (type === 'int64') return new BigInt64Array(n).fill(300n);
  if (type === 'int32') return new Int32Array(n).fill(300);
  return Float32Array.from({ length: n }, (_, i) => 0.5 * Math.sin(i * 12.9898 + 1));
};

export async function prepare(label: string, graph: Graph): Promise<Prepared> {
  const weights = runInputs(graph);
  const bytes = encodeGraph(graph, { weightsAsInputs: new Set(weights) });
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const feeds: Record<string, ort.Tensor> = {};
  for (const name of weights) {
    const c = graph.constants.get(name)!;
    feeds[name] = new ort.Tensor('float32', tensorOf(c).data as Float32Array, [...c.shape]);
  }
  for (const v of graph.inputs) {
    const state = ['theta', 'm', 'v', 'trace'].includes(v.name);
    const data =
      v.name === 'schedule'
        ? Float32Array.of(5e-3, 10, 10, 1)
        : state
          ? new Float32Array(sizeOf(v.shape))
          : fill(v.type, v.shape);
    feeds[v.name] = new ort.Tensor(v.type as 'float32', data as Float32Array, [...v.shape]);
  }
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
