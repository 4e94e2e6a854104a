/** @file A loaded program: its sessions, its weights and the state that moves on with every run. */
import type * as Ort from 'onnxruntime-web';
import type { Constant } from '#src/onnx/model.ts';
import { pulse, UNTIMED } from '#src/platform/pulse.ts';
import { PlainError } from '#src/platform/refusals.ts';
import { byteLength, sizeOf, type TypedArray } from '#src/onnx/tensor.ts';
import { widened } from '#src/program/halves.ts';
import type { Program, Stage, StateTensor } from '#src/program/types.ts';
import type { Backend } from './backend.ts';
import { deviceTensor, download, hostTensor, staysOnDevice } from './device.ts';
import { ProgramMistake, runtimeError } from './errors.ts';
import { ortMutex } from './mutex.ts';
import { openStage } from './session.ts';
import type { Executable, LoadExternal, PlacementReport } from './types.ts';
import type { WeightStore } from './weights.ts';

/** What all programs of a runtime share. */
export interface Host {
  readonly backend: Backend;
  readonly weights: WeightStore;
  /** Why the device is lost, once it is. */
  lostReason(): string | undefined;
  /** Throws what the device reported outside of any call, such as memory that ran out. */
  checkDevice(): void;
}

interface LoadedStage {
  readonly stage: Stage;
  readonly session: Ort.InferenceSession;
  readonly weights: ReadonlyMap<string, Ort.Tensor>;
  readonly outputs: ReadonlySet<string>;
}

type Values = Map<string, Ort.Tensor>;

export class LoadedProgram implements Executable {
  readonly #host: Host;
  readonly #program: Program;
  readonly #stages: LoadedStage[] = [];
  readonly #acquired: Constant[] = [];
  readonly #state: Values = new Map();
  #elsewhere: PlacementReport['elsewhere'] = [];
  #disposed = false;
  /** Milliseconds of the longest run so far; null: none was made. */
  #longest: number | null = null;
  readonly #onDispose: (program: LoadedProgram) => void;

  private constructor(host: Host, program: Program, onDispose: (program: LoadedProgram) => void) {
    this.#host = host;
    this.#program = program;
    this.#onDispose = onDispose;
  }

  /** Uploads weights, one after the other, creates the sessions and sets the state to its initial values. */
  static async load(
    host: Host,
    program: Program,
    external: LoadExternal | undefined,
    onDispose: (program: LoadedProgram) => void,
  ): Promise<LoadedProgram> {
    const loaded = new LoadedProgram(host, program, onDispose);
    let subject = 'What is to be computed';
    try {
      checkOutputs(program);
      await ortMutex.run(() =>
        pulse.during(UNTIMED, async () => {
          for (const stage of program.stages) {
            subject =
              program.stages.length > 1
                ? `Part "${stage.name}" of the computation`
                : `The computation "${stage.name}"`;
            await loaded.#open(stage, external);
          }
          for (const s of program.state) loaded.#state.set(s.name, loaded.#upload(s, s.init));
          host.checkDevice();
        }),
      );
    } catch (error) {
      await loaded.dispose();
      // A missing or broken file is the model's fault, and its message already says so.
      if (error instanceof PlainError || error instanceof ProgramMistake) throw error;
      throw runtimeError(error, 'session', subject, host.lostReason());
    }
    return loaded;
  }

  async #open(given: Stage, external?: LoadExternal): Promise<void> {
    const { backend, weights } = this.#host;
    const stage = forDevice(given, backend);
    const tensors = new Map<string, Ort.Tensor>();
    for (const name of stage.weights) {
      const constant = stage.graph.constants.get(name);
      if (!constant)
        throw new ProgramMistake(`Stage ${stage.name} has no constant named ${name} to take as weight.`);
      tensors.set(name, await weights.acquire(name, constant, external));
      this.#acquired.push(constant);
    }
    const { session, elsewhere } = await openStage(backend, stage, external);
    this.#elsewhere = [...this.#elsewhere, ...elsewhere];
    const outputs = new Set(stage.graph.outputs.map((v) => v.name));
    this.#stages.push({ stage, session, weights: tensors, outputs });
  }

  #upload(s: StateTensor, data: Float32Array): Ort.Tensor {
    if (data.length !== sizeOf(s.shape))
      throw new ProgramMistake(
        `State ${s.name} needs ${sizeOf(s.shape)} values of shape [${s.shape.join()}], but got ${data.length}.`,
      );
    return deviceTensor(this.#host.backend, s.type, s.shape, data.slice());
  }

  /** Bytes of state on the device. */
  get stateBytes(): number {
    return this.#program.state.reduce((n, s) => n + byteLength(s.type, s.shape), 0);
  }

  run(
    feeds: Readonly<Record<string, TypedArray>>,
    reads: readonly string[] = [],
  ): Promise<Record<string, TypedArray>> {
    return this.#exclusive('The run', () => this.#timed(() => this.#run(feeds, reads)));
  }

  /** Announces how long a run may keep this realm busy, by those before it. */
  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await pulse.during(this.#longest === null ? UNTIMED : 10 * this.#longest, work);
    this.#longest = Math.max(this.#longest ?? 0, performance.now() - began);
    return result;
  }

  async #run(
    feeds: Readonly<Record<string, TypedArray>>,
    reads: readonly string[],
  ): Promise<Record<string, TypedArray>> {
    const { backend } = this.#host;
    const values: Values = new Map(this.#state);
    for (const feed of this.#program.feeds)
      values.set(feed.input ?? feed.name, feedTensor(backend, feed, feeds));
    for (const name of reads)
      if (!this.#program.reads.includes(name))
        throw new ProgramMistake(`${name} is no output that this program offers for reading.`);

    const nextOf = new Map(this.#program.state.map((s) => [s.output, s.name]));
    const wanted = new Set([...nextOf.keys(), ...reads, ...this.#passedOn()]);
    const kept = new Set([...nextOf.keys(), ...reads]);
    const made: Values = new Map();
    let whole = false;
    try {
      const spent = this.#spent();
      for (const [i, { stage, session, weights, outputs }] of this.#stages.entries()) {
        // Without a prototype, any name is a key like others.
        const inputs = Object.create(null) as Record<string, Ort.Tensor>;
        for (const name of session.inputNames) {
          const value = weights.get(name) ?? values.get(name);
          if (!value)
            throw new ProgramMistake(
              `Stage ${stage.name} misses its input ${name}: no feed, state or earlier stage gives it.`,
            );
          inputs[name] = value;
        }
        const fetched = [...outputs].filter((name) => wanted.has(name));
        const results = await session.run(inputs, fetched);
        for (const name of fetched) {
          values.set(name, results[name]!);
          made.set(name, results[name]!);
        }
        for (const name of spent[i]!) {
          const tensor = made.get(name);
          if (!tensor || kept.has(name)) continue;
          values.delete(name);
          made.delete(name);
          discard(backend, tensor);
        }
      }
      const read = await download(
        backend,
        reads.map((name) => made.get(name)!),
      );
      this.#host.checkDevice();
      for (const [output, name] of nextOf) {
        const old = this.#state.get(name);
        this.#state.set(name, made.get(output)!);
        old?.dispose();
      }
      whole = true;
      return Object.fromEntries(
        reads.map((name, i) => [name, nextOf.has(name) && !backend.device ? read[i]!.slice() : read[i]!]),
      );
    } finally {
      for (const [name, tensor] of made) if (!whole || !nextOf.has(name)) discard(backend, tensor);
    }
  }

  /** Outputs of a stage that a later one takes. */
  #passedOn(): string[] {
    return this.#stages.flatMap(({ outputs }, i) =>
      this.#stages.slice(i + 1).flatMap((s) => s.session.inputNames.filter((name) => outputs.has(name))),
    );
  }

  /** By stage, what no later one takes any more. */
  #spent(): string[][] {
    const last = new Map<string, number>();
    this.#stages.forEach(({ session, outputs }, i) => {
      for (const name of [...outputs, ...session.inputNames]) last.set(name, i);
    });
    return this.#stages.map((_, i) => [...last].flatMap(([name, at]) => (at === i ? [name] : [])));
  }

  readState(): Promise<Record<string, Float32Array>> {
    return this.#exclusive('Reading the state', async () => {
      const { backend } = this.#host;
      const { state } = this.#program;
      const data = await download(
        backend,
        state.map((s) => this.#state.get(s.name)!),
      );
      return Object.fromEntries(state.map((s, i) => [s.name, (data[i] as Float32Array).slice()]));
    });
  }

  /** Replaces the named state tensors; the others stay. Throws RuntimeError for unknown names or wrong lengths, and changes nothing then. */
  writeState(state: Readonly<Record<string, Float32Array>>): Promise<void> {
    return this.#exclusive('Writing the state', async () => {
      const known = new Map(this.#program.state.map((s) => [s.name, s]));
      const unknown = Object.keys(state).find((name) => !known.has(name));
      if (unknown !== undefined) throw new ProgramMistake(`This program has no state named ${unknown}.`);
      const fresh = Object.entries(state).map(
        ([name, data]) => [name, this.#upload(known.get(name)!, data)] as const,
      );
      for (const [name, tensor] of fresh) {
        this.#state.get(name)?.dispose();
        this.#state.set(name, tensor);
      }
    });
  }

  placement(): PlacementReport {
    return {
      nodes: this.#program.stages.reduce((n, s) => n + s.graph.nodes.length, 0),
      elsewhere: this.#elsewhere,
    };
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await ortMutex.run(async () => {
      // Buffers first: a session takes the allocator of its outputs with it. On a lost device neither can nor need be released.
      for (const tensor of this.#state.values()) quietly(() => tensor.dispose());
      this.#state.clear();
      for (const constant of this.#acquired) this.#host.weights.release(constant);
      for (const { session } of this.#stages) await session.release().catch(() => undefined);
    });
    this.#onDispose(this);
  }

  async #exclusive<T>(subject: string, task: () => Promise<T>): Promise<T> {
    return ortMutex.run(async () => {
      if (this.#disposed) throw new ProgramMistake('This program was already disposed of.');
      try {
        return await task();
      } catch (error) {
        if (error instanceof ProgramMistake) throw error;
        throw runtimeError(error, 'run', subject, this.#host.lostReason());
      }
    });
  }
}

/** The stage with weights that the device can hold: halves wide where it has none, and in the session what cannot be a tensor of its own. */
function forDevice(stage: Stage, backend: Backend): Stage {
  if (!backend.device) return stage;
  const constants = new Map(stage.graph.constants);
  if (!backend.device.features.has('shader-f16'))
    for (const name of stage.weights) {
      const constant = constants.get(name);
      if (constant?.type === 'float16') constants.set(name, widened(constant));
    }
  const weights = stage.weights.filter((name) => {
    const constant = constants.get(name);
    return !constant || staysOnDevice(backend, constant.type);
  });
  return { ...stage, graph: { ...stage.graph, constants }, weights };
}

/** Throws RuntimeError where a state's next value or an offered read is no output of any stage. */
function checkOutputs(program: Program): void {
  const made = new Set(program.stages.flatMap((s) => s.graph.outputs.map((v) => v.name)));
  for (const name of [...program.state.map((s) => s.output), ...program.reads])
    if (!made.has(name)) throw new ProgramMistake(`No stage of the program has an output ${name}.`);
}

function quietly(task: () => void): void {
  try {
    task();
  } catch {
    // The device took the buffer with it.
  }
}

/** Host tensors own nothing outside of the garbage collector's reach; disposing of one would clear data handed to the caller. */
function discard(backend: Backend, tensor: Ort.Tensor): void {
  if (backend.device && tensor.location === 'gpu-buffer') tensor.dispose();
}

function feedTensor(
  { ort }: Backend,
  feed: Program['feeds'][number],
  feeds: Readonly<Record<string, TypedArray>>,
): Ort.Tensor {
  const data = feeds[feed.name];
  const size = sizeOf(feed.shape);
  if (!data) throw new ProgramMistake(`The feed ${feed.name} is missing.`);
  if (data.length !== size)
    throw new ProgramMistake(
      `The feed ${feed.name} needs ${size} values of shape [${feed.shape.join()}], but got ${data.length}.`,
    );
  return hostTensor(ort, feed.type, feed.shape, data);
}
