/** @file Runs a graph in Node through onnxruntime-web's wasm provider, for tests. */
import * as ort from 'onnxruntime-web';
import { encodeGraph } from '#src/graph/encode.ts';
import { roundedBytes } from '#src/graph/rounded.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Constant } from '#src/onnx/model.ts';
import { constantOf, type Tensor, tensorOf, type TypedArray } from '#src/onnx/tensor.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** A graph that is ready to run any number of times. */
export interface GraphRun {
  /** Feeds by input name; the outputs by name come back. An input that is also an output is passed through. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** Of a weight at hand. */
function inlineBytes({ data }: Constant): Uint8Array {
  if (data.kind !== 'inline') throw new Error(`A weight lies in ${data.location}.`);
  return data.bytes;
}

/** The graph with constants that are computed at loading at hand. */
export async function withComputed(graph: Graph): Promise<Graph> {
  if (![...graph.constants.values()].some((c) => c.by ?? c.rounded)) return graph;
  const constants = new Map(graph.constants);
  for (const [name, { by, rounded, ...constant }] of constants) {
    if (rounded) {
      const bytes = await roundedBytes(rounded, (_, of) => Promise.resolve(inlineBytes(of)));
      constants.set(name, { ...constant, data: { kind: 'inline', bytes } });
    }
    if (!by) continue;
    const out = await runGraph(by, {});
    constants.set(name, constantOf(out[by.outputs[0]!.name]!));
  }
  return { ...graph, constants };
}

/** A session over the graph. An output that is an input or a constant is allowed, and one may be listed twice. */
export async function openGraph(given: Graph): Promise<GraphRun> {
  const graph = await withComputed(given);
  const made = new Set(graph.nodes.flatMap((n) => n.outputs));
  const computed = [...new Map(graph.outputs.map((v) => [v.name, v])).values()].filter((v) =>
    made.has(v.name),
  );
  const constants = graph.outputs.flatMap(({ name }): [string, Tensor][] => {
    const constant = graph.constants.get(name);
    return constant ? [[name, tensorOf(constant)]] : [];
  });
  const session = computed.length
    ? await ort.InferenceSession.create(
        encodeGraph({ ...graph, outputs: computed }, { weightsAsInputs: new Set() }),
        {
          executionProviders: ['wasm'],
          graphOptimizationLevel: 'basic',
          logSeverityLevel: 3,
        },
      )
    : undefined;
  return {
    async run(feeds) {
      const out: Record<string, Tensor> = Object.fromEntries(constants);
      for (const v of graph.outputs) if (feeds[v.name]) out[v.name] = feeds[v.name]!;
      if (!session) return out;
      const wanted = new Set(session.inputNames);
      const given = Object.entries(feeds).filter(([name]) => wanted.has(name));
      const results = await session.run(
        Object.fromEntries(
          given.map(([name, t]) => [
            name,
            new ort.Tensor(t.type as 'float32', t.data as Float32Array, [...t.shape]),
          ]),
        ),
      );
      for (const v of computed) {
        const r = results[v.name]!;
        out[v.name] = { type: v.type, shape: [...r.dims], data: r.data as unknown as TypedArray };
      }
      return out;
    },
    async release() {
      await session?.release();
    },
  };
}

/** Runs the graph once and returns its outputs by name. */
export async function runGraph(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const opened = await openGraph(graph);
  try {
    return await opened.run(feeds);
  } finally {
    await opened.release();
  }
}
