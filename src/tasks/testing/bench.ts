/** @file What the worker lends to a task, on wasm in Node: for tests. */
import { graphDigest } from '#src/graph/digest.ts';
import { hostRotations } from '#src/oft/rotation/hostRotation.ts';
import type { Layout } from '#src/oft/rotation/parameters.ts';
import { Numbered } from '#src/platform/numbered.ts';
import { asHeld } from '#src/program/halves.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { compileForward } from '#src/program/forward.ts';
import { feedsOf, ownFeeds } from '#src/program/names.ts';
import type { Program } from '#src/program/types.ts';
import { runInputs } from '#src/program/weights.ts';
import { createRuntime } from '#src/runtime/runtime.ts';
import type { Executable } from '#src/runtime/types.ts';
import type { Adapted, RunGraph, TaskHost } from '../types.ts';

export interface TaskBench {
  readonly host: TaskHost;
  load(program: Program): Promise<Executable>;
  /** The model as it is with these parameters. */
  adapted(layout: Layout, theta: Float32Array): Adapted;
  dispose(): Promise<void>;
}

export async function taskBench(decodeImage?: TaskHost['decodeImage']): Promise<TaskBench> {
  const runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
  const layouts = new Numbered();
  const standing = new Map<string, { key: string; executable: Executable }>();
  const load = async (slot: string, key: string, make: () => Program) => {
    const known = standing.get(slot);
    if (known?.key === key) return known.executable;
    await known?.executable.dispose();
    const executable = await runtime.load(make());
    standing.set(slot, { key, executable });
    return executable;
  };
  return {
    host: {
      backend: 'wasm',
      frozen: (slot, key, graph): RunGraph => {
        return async (feeds) => {
          const made = asHeld(lowerGraph(graph()));
          const reads = made.outputs.map((o) => o.name);
          const executable = await load(`frozen ${slot}`, key, () => ({
            stages: [{ name: slot, graph: made, weights: runInputs(made) }],
            state: [],
            feeds: feedsOf(made.inputs, made),
            reads,
          }));
          return executable.run(feeds, reads);
        };
      },
      decodeImage: decodeImage ?? (() => Promise.reject(new Error('This test decodes no images.'))),
    },
    load: (program) => runtime.load(program),
    adapted: (layout, theta) => ({
      run: async (slot, graph) => {
        const forward = compileForward({ graph, layout });
        const key = `${layouts.of(layout)} ${await graphDigest(graph)}`;
        const executable = await load(`adapted ${slot}`, key, () => forward);
        const turned = ownFeeds(forward.feeds, hostRotations(layout, theta));
        return (feeds) => executable.run({ ...feeds, ...turned }, forward.reads);
      },
    }),
    dispose: () => runtime.dispose(),
  };
}
