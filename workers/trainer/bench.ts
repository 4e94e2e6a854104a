/** @file What stands on the device: the runtime and one program of each kind, compiled when first wanted, rebuilt after the device was lost. */
import { Breath } from '#src/platform/breath.ts';
import { Lifeline } from '#src/platform/lifeline.ts';
import { pulse, UNTIMED } from '#src/platform/pulse.ts';
import { graphDigest } from '#src/graph/digest.ts';
import type { Graph } from '#src/graph/types.ts';
import { hostRotations } from '#src/oft/rotation/hostRotation.ts';
import type { Layout } from '#src/oft/rotation/parameters.ts';
import { asHeld } from '#src/program/halves.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { compileForward } from '#src/program/forward.ts';
import { feedsOf, ownFeeds } from '#src/program/names.ts';
import { compileOrthogonality } from '#src/program/orthogonality.ts';
import type { Program } from '#src/program/types.ts';
import { runInputs } from '#src/program/weights.ts';
import type { Orthogonality } from '#src/training/types.ts';
import type { Executable, LoadExternal, PlacementReport, Runtime } from '#src/runtime/types.ts';
import type { RunGraph } from '#src/tasks/types.ts';
import { Mutex } from '#src/runtime/mutex.ts';

interface Slot {
  readonly key: string;
  readonly executable: Executable;
  readonly program: Pick<Program, 'feeds' | 'reads'>;
}

/** Rotations that a forward program is fed with. */
export interface Turned {
  /** Names model and layout, and what else is compiled in. */
  readonly key: string;
  readonly layout: Layout;
  readonly theta: Float32Array;
  readonly strength: number;
  /** Changes the graph before it is compiled: whole weight differences. */
  readonly change?: ((graph: Graph) => Graph) | undefined;
}

export class Bench {
  readonly runtime: Runtime;
  readonly #building = new Mutex();
  readonly #slots = new Map<string, Slot>();
  #lost: string | null = null;
  readonly #line: Lifeline;
  readonly #breath = new Breath();

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    const loss = runtime.lost.then((reason): never => {
      this.#lost = reason || 'no reason given';
      throw new Error(`The device was lost: ${this.#lost}`);
    });
    this.#line = new Lifeline(loss);
  }

  /** Why the device was lost; null: it is there. */
  get lost(): string | null {
    return this.#lost;
  }

  /** Fails instead of waiting for ever when the device is lost. The runtime itself lets one call at a time through to a session. */
  #orLost<T>(task: Promise<T>): Promise<T> {
    return this.#line.hold(task);
  }

  /** The executable in a slot; another program takes its place. Compiled once, however many ask. */
  #slot(name: string, key: string, program: () => Program, external?: LoadExternal): Promise<Slot> {
    return this.#building.run(() => this.#build(name, key, program, external));
  }

  async #build(name: string, key: string, program: () => Program, external?: LoadExternal): Promise<Slot> {
    const known = this.#slots.get(name);
    if (known?.key === key) return known;
    await this.#release(name);
    const made = await pulse.during(UNTIMED, program);
    const loaded = await this.#orLost(this.runtime.load(made, external));
    const { feeds, reads } = made;
    const slot: Slot = { key, executable: this.#guarded(loaded), program: { feeds, reads } };
    this.#slots.set(name, slot);
    return slot;
  }

  async #release(name: string): Promise<void> {
    const slot = this.#slots.get(name);
    if (!slot) return;
    this.#slots.delete(name);
    await slot.executable.dispose();
  }

  #guarded(executable: Executable): Executable {
    return {
      // On the CPU one run follows another within a task: samples and judgements take hundreds, in which nobody hears a stop, and no sign of life goes out.
      run: async (feeds, reads) => {
        if (this.#breath.due) await this.#breath.take();
        return this.#orLost(executable.run(feeds, reads));
      },
      readState: () => this.#orLost(executable.readState()),
      writeState: (state) => this.#orLost(executable.writeState(state)),
      placement: () => executable.placement(),
      dispose: () => this.#orLost(executable.dispose()),
    };
  }

  /** An untrained graph, compiled when it first runs. */
  frozen(slot: string, key: string, graph: () => Graph, external?: LoadExternal): RunGraph {
    return async (feeds) => {
      const { executable, program } = await this.#slot(
        `frozen ${slot}`,
        key,
        () => frozenProgram(slot, graph()),
        external,
      );
      return executable.run(feeds, program.reads);
    };
  }

  /** Frees an untrained graph. */
  drop(slot: string): Promise<void> {
    return this.#building.run(() => this.#release(`frozen ${slot}`));
  }

  /** The training step for one shape of micro-batches; `key` says what was compiled into it. */
  async training(
    key: string,
    program: () => Program,
    external?: LoadExternal,
    variant = 0,
  ): Promise<Executable> {
    const slot = await this.#slot(`training ${variant}`, key, program, external);
    return slot.executable;
  }

  /** How orthogonal the rotations are that the training step makes of its state: parameters and inverses. `key` names the layout. */
  async orthogonality(
    key: string,
    layout: Layout,
    state: Readonly<Record<string, Float32Array>>,
    rounds: number,
  ): Promise<Orthogonality> {
    const none = { exact: null, series: null };
    if (layout.groups.length === 0) return none;
    const program = compileOrthogonality(layout, rounds);
    const { executable } = await this.#slot('orthogonality', `${key}:${rounds}`, () => program);
    const feeds = Object.fromEntries(program.feeds.map(({ name }) => [name, state[name]!]));
    const out = await executable.run(feeds, program.reads);
    return { ...none, ...Object.fromEntries(program.reads.map((kind) => [kind, Number(out[kind]?.[0])])) };
  }

  /** Frees the training step and its state. */
  async endTraining(): Promise<void> {
    const slots = [...this.#slots.keys()].filter((name) => name.startsWith('training '));
    for (const slot of slots) await this.#release(slot);
    await this.#release('orthogonality');
  }

  /** A graph of the trained model with its layers turned. */
  async turned(
    { key, layout, theta, strength, change = (same) => same }: Turned,
    slot: string,
    graph: Graph,
    external?: LoadExternal,
  ): Promise<RunGraph> {
    const { executable, program } = await this.#slot(
      slot,
      // What is compiled is known by itself: a key that someone makes up may leave out what matters.
      JSON.stringify([key, await graphDigest(graph)]),
      () => compileForward({ graph: change(graph), layout }),
      external,
    );
    const rotations = ownFeeds(program.feeds, hostRotations(layout, theta, strength));
    return (feeds) => executable.run({ ...feeds, ...rotations }, program.reads);
  }

  /** Where the nodes of all programs that stand run. */
  placement(): PlacementReport {
    const reports = [...this.#slots.values()].map((slot) => slot.executable.placement());
    return {
      nodes: reports.reduce((n, r) => n + r.nodes, 0),
      elsewhere: reports.flatMap((r) => r.elsewhere),
    };
  }

  async dispose(): Promise<void> {
    this.#slots.clear();
    // A lost device cannot be waited for.
    await this.#orLost(this.runtime.dispose()).catch(() => undefined);
  }
}

const frozenProgram = (name: string, imported: Graph): Program => {
  const graph = asHeld(lowerGraph(imported));
  return {
    stages: [{ name, graph, weights: runInputs(graph) }],
    state: [],
    feeds: feedsOf(graph.inputs, imported),
    reads: graph.outputs.map((o) => o.name),
  };
};
