/** @file The training loop: feeds in, records out, with pause, stop, checkpoints and a guard against non-finite numbers. */
import type { TypedArray } from '#src/onnx/tensor.ts';
import type { Executable } from '#src/runtime/types.ts';
import { breathe, Pace } from './pace.ts';
import type { StepRecord } from './types.ts';

/** Names of the training program's outputs that the loop reads. */
export interface ReadNames {
  readonly loss: string;
  readonly gradNorm: string;
  /** 1: the update was made; 0: it was left out. */
  readonly finite: string;
  /** Residual of the Cayley inverses; null: not watched. */
  readonly residual: string | null;
}

export const readNames: ReadNames = {
  loss: 'loss',
  gradNorm: 'grad_norm',
  finite: 'finite',
  residual: 'residual',
};

export type LoopEvent =
  | { readonly kind: 'steps'; readonly records: readonly StepRecord[]; readonly secondsLeft: number }
  | { readonly kind: 'residual'; readonly step: number; readonly residual: number };

export interface LoopOptions {
  readonly executable: Executable;
  /** Updates in the whole run. */
  readonly steps: number;
  readonly accumulate: number;
  /** All feeds of micro-step `micro` of step `step`, `schedule` included. Must depend on nothing but its arguments. */
  readonly feeds: (
    step: number,
    micro: number,
    learningRate: number,
  ) => Record<string, TypedArray> | Promise<Record<string, TypedArray>>;
  readonly learningRate: (step: number) => number;
  /** Read the loss every so many steps; 1 where reading is free. The steps between leave no record. */
  readonly readEvery?: number;
  /** So many non-finite steps in a row end the run. */
  readonly patience?: number;
  /** A residual above this is reported. */
  readonly largestResidual?: number;
  readonly names?: ReadNames;
  readonly onEvent?: (event: LoopEvent) => void;
  /** Called after each update with the number made so far, and awaited: samples, evaluations. */
  readonly between?: (done: number) => void | Promise<void>;
  /** Saves a checkpoint at least every so many steps or seconds, and on pause. */
  readonly checkpoint?: {
    readonly steps: number;
    readonly seconds: number;
    readonly save: (content: LoopState) => Promise<void>;
  };
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/** Everything that the next step depends on. */
export interface LoopState {
  /** Updates made. */
  readonly step: number;
  readonly state: Readonly<Record<string, Float32Array>>;
  readonly history: readonly StepRecord[];
}

export type LoopOutcome = 'finished' | 'paused' | 'stopped';

/** The loss or the gradient was not finite again and again. The executable's state is that of the last good update. */
export class NonFiniteError extends Error {
  override readonly name = 'NonFiniteError';
  /** First step of the unbroken row. */
  readonly firstBad: number;
  /** Updates in the newest checkpoint; null: none was saved. */
  readonly checkpointStep: number | null;

  constructor(firstBad: number, row: number, checkpointStep: number | null) {
    const kept =
      checkpointStep === null
        ? 'Nothing was saved before.'
        : `What was learned in the first ${checkpointStep} steps is saved.`;
    super(
      `Training broke down at step ${firstBad + 1}: the loss or its gradient was not finite ${row} times in a row. ${kept} Lower the learning rate, or clip the gradient norm.`,
    );
    this.firstBad = firstBad;
    this.checkpointStep = checkpointStep;
  }
}

const first = (x: TypedArray | undefined, name: string): number => {
  if (x?.length !== 1) throw new RangeError(`The training program gave no single number named ${name}.`);
  return Number(x[0]);
};

/** A micro-step that was not finite spoils the mean loss, though the others may still have moved the parameters. */
const isBad = (r: StepRecord): boolean => r.skipped === true || !Number.isFinite(r.loss);

export class TrainingLoop {
  readonly #options: LoopOptions;
  readonly #names: ReadNames;
  readonly #now: () => number;
  readonly #pace = new Pace();
  readonly #history: StepRecord[] = [];
  #unsent: StepRecord[] = [];
  #sentAt = -Infinity;
  #breathedAt = -Infinity;
  #step = 0;
  #wish: 'pause' | 'stop' | null = null;
  #savedStep: number | null = null;
  #savedAt = 0;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#names = options.names ?? readNames;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Updates made. */
  get step(): number {
    return this.#step;
  }

  get history(): readonly StepRecord[] {
    return this.#history;
  }

  /** Goes on from a checkpoint; before `run`. */
  async restore({ step, state, history }: LoopState): Promise<void> {
    await this.#options.executable.writeState(state);
    this.#step = step;
    this.#history.splice(0, Infinity, ...history);
    this.#savedStep = step;
  }

  /** What a checkpoint holds of the loop. */
  async content(): Promise<LoopState> {
    return {
      step: this.#step,
      state: await this.#options.executable.readState(),
      history: [...this.#history],
    };
  }

  /** Asks `run` to save and return after the step under way. */
  pause(): void {
    this.#wish ??= 'pause';
  }

  /** Asks `run` to save and return after the step under way; the run counts as over. */
  stop(): void {
    this.#wish = 'stop';
  }

  /** Trains up to the last step, a pause or a stop. Throws NonFiniteError after `patience` bad steps in a row. */
  async run(): Promise<LoopOutcome> {
    const { steps, between } = this.#options;
    this.#savedAt = this.#now();
    try {
      while (this.#step < steps && this.#wish === null) {
        await this.#update();
        await between?.(this.#step);
        await this.#saveIfDue();
        await this.#breatheIfDue();
      }
    } finally {
      this.#send();
    }
    const wish = this.#wish;
    this.#wish = null;
    if (this.#savedStep !== this.#step) await this.#save();
    if (this.#step >= steps) return 'finished';
    return wish === 'stop' ? 'stopped' : 'paused';
  }

  /** One update: `accumulate` micro-steps, the last of which moves the parameters. */
  async #update(): Promise<void> {
    const { executable, accumulate, steps, readEvery = 1 } = this.#options;
    const step = this.#step;
    const names = this.#names;
    const learningRate = this.#options.learningRate(step);
    const reading = step === 0 || (step + 1) % readEvery === 0 || step === steps - 1;
    const last = [names.gradNorm, names.finite, ...(names.residual === null ? [] : [names.residual])];
    const began = this.#now();
    let loss = 0;
    let finite = true;
    let gradNorm = NaN;
    for (let micro = 0; micro < accumulate; micro++) {
      const feeds = await this.#options.feeds(step, micro, learningRate);
      const ending = micro === accumulate - 1;
      const out = await executable.run(feeds, reading ? [names.loss, ...(ending ? last : [])] : []);
      if (!reading) continue;
      loss += first(out[names.loss], names.loss) / accumulate;
      if (!ending) continue;
      finite = first(out[names.finite], names.finite) === 1;
      gradNorm = first(out[names.gradNorm], names.gradNorm);
      if (names.residual !== null) this.#watch(first(out[names.residual], names.residual));
    }
    const ms = this.#now() - began;
    this.#pace.add(ms);
    this.#step = step + 1;
    if (!reading) return;
    this.#record({ step, loss, learningRate, gradNorm, ms, ...(!finite && { skipped: true }) });
  }

  #watch(residual: number): void {
    const { largestResidual = Infinity, onEvent } = this.#options;
    if (residual > largestResidual) onEvent?.({ kind: 'residual', step: this.#step, residual });
  }

  #record(record: StepRecord): void {
    const { patience = 5 } = this.#options;
    this.#history.push(record);
    this.#unsent.push(record);
    if (this.#now() - this.#sentAt >= 100) this.#send();
    // The row is counted in the history, so that a resumed run stops where an uncut one would.
    const row = this.#history.slice(-patience);
    if (row.length === patience && row.every(isBad))
      throw new NonFiniteError(row[0]!.step, patience, this.#savedStep);
  }

  #send(): void {
    if (this.#unsent.length === 0) return;
    this.#sentAt = this.#now();
    this.#options.onEvent?.({
      kind: 'steps',
      records: this.#unsent,
      secondsLeft: this.#pace.secondsFor(this.#options.steps - this.#step),
    });
    this.#unsent = [];
  }

  async #saveIfDue(): Promise<void> {
    const { checkpoint, steps } = this.#options;
    if (!checkpoint || this.#step === steps) return;
    const due =
      this.#step - (this.#savedStep ?? 0) >= checkpoint.steps ||
      this.#now() - this.#savedAt >= checkpoint.seconds * 1000;
    if (due) await this.#save();
  }

  async #save(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    await checkpoint.save(await this.content());
    this.#savedStep = this.#step;
    this.#savedAt = this.#now();
  }

  /** Messages (pause, stop) are heard between steps; once in a frame's time is often enough. */
  async #breatheIfDue(): Promise<void> {
    if (this.#now() - this.#breathedAt < 16) return;
    await breathe();
    this.#breathedAt = this.#now();
  }
}
