/** @file A runtime for tests in Node: programs run stage by stage in plain sessions. It can lose its device, or spoil an output, on demand. */
import { roundedBytes } from '#src/graph/rounded.ts';
import type { Graph, GraphConstant } from '#src/graph/types.ts';
import type { Tensor, TypedArray } from '#src/onnx/tensor.ts';
import { type GraphRun, openGraph } from '#src/ops/testing/runGraph.ts';
import { constantBytes } from '#src/runtime/weights.ts';
import { Mutex } from '#src/runtime/mutex.ts';
import type { Program } from '#src/program/types.ts';
import type { Executable, LoadExternal, Runtime } from '#src/runtime/types.ts';

export interface TestRuntime extends Runtime {
  lose(reason: string): void;
  /** Called before each run with the first stage's name; may throw. */
  onRun: ((stage: string) => void) | null;
  /** Outputs of a run, to be changed in place. */
  onOutputs: ((out: Record<string, TypedArray>) => void) | null;
  readonly live: number;
}

/** The graph with its weights read in. */
async function inlined(graph: Graph, external?: LoadExternal): Promise<Graph> {
  const constants = new Map<string, GraphConstant>();
  for (const [name, c] of graph.constants) {
    if (c.by) {
      constants.set(name, { ...c, by: await inlined(c.by, external) });
      continue;
    }
    if (c.rounded) {
      const { rounded, ...constant } = c;
      const bytes = await roundedBytes(rounded, (of, weight) => constantBytes(of, weight, external));
      constants.set(name, { ...constant, data: { kind: 'inline', bytes } });
      continue;
    }
    const bytes = await constantBytes(name, c, external);
    constants.set(name, c.data.kind === 'inline' ? c : { ...c, data: { kind: 'inline', bytes } });
  }
  return { ...graph, constants };
}

export function graphRuntime(): TestRuntime {
  let lose: (reason: string) => void = () => undefined;
  let lostReason: string | null = null;
  let live = 0;
  const lost = new Promise<string>((resolve) => {
    lose = (reason) => {
      lostReason = reason;
      resolve(reason);
    };
  });
  const runtime: TestRuntime = {
    backend: { kind: 'wasm', reason: 'A test.', threads: 1, adapter: null },
    start: () => Promise.resolve(),
    offered: { bytes: 4e9, largest: null, source: 'a test' },
    lost,
    lose,
    onRun: null,
    onOutputs: null,
    get live() {
      return live;
    },
    memory: () => ({ weights: 0, state: 0 }),
    dispose: () => Promise.resolve(),
    async load(program: Program, external?: LoadExternal): Promise<Executable> {
      const stages: GraphRun[] = [];
      for (const stage of program.stages) stages.push(await openGraph(await inlined(stage.graph, external)));
      live++;
      const state = new Map(program.state.map((s) => [s.name, s.init.slice()]));
      const alone = new Mutex();
      return {
        run: (feeds, reads = []) =>
          alone.run(async () => {
            runtime.onRun?.(program.stages[0]?.name ?? '');
            if (lostReason !== null) throw new Error('The session is gone.');
            const known: Record<string, Tensor> = {};
            for (const feed of program.feeds) {
              const data = feeds[feed.name];
              if (!data) throw new Error(`No feed named ${feed.name} was given.`);
              known[feed.input ?? feed.name] = { type: feed.type, shape: feed.shape, data };
            }
            for (const s of program.state)
              known[s.name] = { type: s.type, shape: s.shape, data: state.get(s.name)! };
            for (const stage of stages) Object.assign(known, await stage.run(known));
            const out = Object.fromEntries(reads.map((name) => [name, known[name]!.data]));
            runtime.onOutputs?.(out);
            for (const s of program.state)
              state.set(s.name, known[s.output]!.data as Float32Array<ArrayBuffer>);
            return out;
          }),
        readState: () => Promise.resolve(Object.fromEntries([...state].map(([k, x]) => [k, x.slice()]))),
        writeState: (values) => {
          for (const [name, x] of Object.entries(values)) state.set(name, x.slice());
          return Promise.resolve();
        },
        placement: () => ({ nodes: program.stages[0]?.graph.nodes.length ?? 0, elsewhere: [] }),
        async dispose() {
          live--;
          for (const stage of stages) await stage.release();
        },
      };
    },
  };
  return runtime;
}
