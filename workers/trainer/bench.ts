/** @file What stands on the device: the runtime and one program of each kind, compiled when first wanted, rebuilt after the device was lost. */
import { hostRotations } from '#src/oft/hostRotation.ts';
import type { Layout } from '#src/oft/parameters.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import { compileForward } from '#src/program/forward.ts';
import { compileOrthogonality } from '#src/program/orthogonality.ts';
import type { Program } from '#src/program/types.ts';
import { runInputs } from '#src/program/weights.ts';
import type { Orthogonality } from '#src/training/types.ts';
import type { Executable, PlacementReport, Runtime } from '#src/runtime/types.ts';
import { timestepTensor } from '#src/tasks/diffusion/batches.ts';
import type { Adapter } from './adapter.ts';
import { withDifferences } from './differences.ts';
import { bindEncoder, type BoundUnet, bindUnet, type LoadedModel, widthOf } from './model.ts';
import { Mutex } from '#src/runtime/mutex.ts';

/** The UNet under fixed rotations. */
export interface Forward {
  /** Pictures or noisy images per call. */
  readonly batch: number;
  readonly shape: BoundUnet['shape'];
  /** [batch, …] → prediction like the images. */
  predict(
    images: Float32Array,
    timesteps: ArrayLike<number>,
    embeddings: Float32Array,
  ): Promise<Float32Array>;
}

interface Made {
  readonly program: Program;
  readonly bound?: BoundUnet;
}

interface Slot {
  readonly key: string;
  readonly executable: Executable;
  readonly bound?: BoundUnet;
}

/** Captions go through the text encoder so many at a time. */
export const ENCODER_BATCH = 8;

export class Bench {
  readonly runtime: Runtime;
  readonly #building = new Mutex();
  readonly #slots = new Map<string, Slot>();
  #lost: string | null = null;
  readonly #loss: Promise<never>;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.#loss = runtime.lost.then((reason) => {
      this.#lost = reason || 'no reason given';
      throw new Error(`The device was lost: ${this.#lost}`);
    });
    this.#loss.catch(() => undefined);
  }

  /** Why the device was lost; null: it is there. */
  get lost(): string | null {
    return this.#lost;
  }

  /** Fails instead of waiting for ever when the device is lost. The runtime itself lets one call at a time through to a session. */
  #orLost<T>(task: Promise<T>): Promise<T> {
    return Promise.race([task, this.#loss]);
  }

  /** The executable in a slot; another program takes its place. Compiled once, however many ask. */
  #slot(name: string, key: string, program: () => Made): Promise<Slot> {
    return this.#building.run(() => this.#build(name, key, program));
  }

  async #build(name: string, key: string, program: () => Made): Promise<Slot> {
    const known = this.#slots.get(name);
    if (known?.key === key) return known;
    await this.#release(name);
    const made = program();
    const loaded = await this.#orLost(this.runtime.load(made.program));
    const slot: Slot = { key, executable: this.#guarded(loaded), bound: made.bound };
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
      run: (feeds, reads) => this.#orLost(executable.run(feeds, reads)),
      readState: () => this.#orLost(executable.readState()),
      writeState: (state) => this.#orLost(executable.writeState(state)),
      placement: () => executable.placement(),
      dispose: () => this.#orLost(executable.dispose()),
    };
  }

  /** Token ids → hidden states, ENCODER_BATCH rows at a time. */
  async encode(model: LoadedModel, ids: Int32Array, batch: number): Promise<Float32Array> {
    const bound = bindEncoderOnce(model, batch);
    const { executable } = await this.#slot('text encoder', `${model.hash}:${batch}`, () => ({
      program: {
        stages: [{ name: 'text encoder', graph: bound.graph, weights: runInputs(bound.graph) }],
        state: [],
        feeds: bound.graph.inputs.map(({ name, type, shape }) => ({ name, type, shape })),
        reads: [bound.output],
      },
    }));
    const feed: TypedArray = bound.idsType === 'int32' ? ids : BigInt64Array.from(ids, BigInt);
    const out = await executable.run({ [bound.ids]: feed }, [bound.output]);
    return out[bound.output] as Float32Array;
  }

  /** The training step; `key` says what was compiled into it. */
  async training(key: string, program: () => Program): Promise<Executable> {
    const slot = await this.#slot('training', key, () => ({ program: program() }));
    return slot.executable;
  }

  /** How orthogonal the rotations are that the training step makes of the parameters. `key` names the layout. */
  async orthogonality(
    key: string,
    layout: Layout,
    theta: Float32Array,
    rounds: number,
  ): Promise<Orthogonality> {
    const none = { exact: null, series: null };
    if (layout.groups.length === 0) return none;
    const program = compileOrthogonality(layout, rounds);
    const { executable } = await this.#slot('orthogonality', `${key}:${rounds}`, () => ({ program }));
    const out = await executable.run({ theta }, program.reads);
    return { ...none, ...Object.fromEntries(program.reads.map((kind) => [kind, Number(out[kind]?.[0])])) };
  }

  /** Frees the training step and its state. */
  async endTraining(): Promise<void> {
    await this.#release('training');
    await this.#release('orthogonality');
  }

  /**
   * The UNet with its layers turned.
   * @param key names the layout
   * @param rows how many pictures are wanted per call; a smaller program serves one or two
   */
  async forward(
    model: LoadedModel,
    { key, layout, theta, strength, changed }: ForwardAdapter,
    rows: number,
  ): Promise<Forward> {
    const batch = forwardBatch(model, rows);
    const { executable, bound } = await this.#slot(
      `forward ${batch}`,
      changed ? `${key}:${strength}` : key,
      () => {
        const unet = bindUnet(model, batch, encoderWidth(model));
        const { layers, differences } = changed ?? {};
        const graph =
          layers && differences
            ? withDifferences(unet.graph, model.unet, layers, differences, strength)
            : unet.graph;
        return { program: compileForward({ graph, layout }), bound: unet };
      },
    );
    if (!bound) throw new Error('A forward program without its model.');
    const turned = hostRotations(layout, theta, strength);
    return {
      batch,
      shape: bound.shape,
      predict: async (images, timesteps, embeddings) => {
        const out = await executable.run(
          {
            [bound.sample]: images,
            [bound.timestep]: timestepTensor(timesteps, bound.timestepType),
            [bound.embeddings]: embeddings,
            ...turned,
          },
          [bound.output],
        );
        return out[bound.output] as Float32Array;
      },
    };
  }

  /** Where the nodes of all programs that stand run: training step, forward, text encoder. */
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

export interface ForwardAdapter {
  readonly key: string;
  readonly layout: Layout;
  readonly theta: Float32Array;
  readonly strength: number;
  /** Whole weight differences, which are compiled in. */
  readonly changed?: Required<Pick<Adapter, 'layers' | 'differences'>> | undefined;
}

/** Small models draw eight pictures at a time, large ones two: their activations are what fills the memory. */
function forwardBatch(model: LoadedModel, rows: number): number {
  if (rows <= 2) return 2;
  return model.bytes < 2 ** 27 ? 8 : 2;
}

const encoders = new WeakMap<LoadedModel, Map<number, ReturnType<typeof bindEncoder>>>();

/** The bound text encoder; binding takes a moment, so it is kept with the model. */
function bindEncoderOnce(model: LoadedModel, batch: number): ReturnType<typeof bindEncoder> {
  const known = encoders.get(model) ?? new Map<number, ReturnType<typeof bindEncoder>>();
  encoders.set(model, known);
  const bound = known.get(batch) ?? bindEncoder(model, batch);
  known.set(batch, bound);
  return bound;
}

/** Width of a caption's embedding. */
export const encoderWidth = (model: LoadedModel): number => widthOf(bindEncoderOnce(model, ENCODER_BATCH));
