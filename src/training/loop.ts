/** @file The training loop: feeds in, records out, with pause, stop, checkpoints and a guard against non-finite numbers. */
import { PlainError } from '#src/platform/refusals.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import type { Executable } from '#src/runtime/types.ts';
import { traceRows, updateSums } from '#src/program/training.ts';
import { breathe } from '#src/platform/breath.ts';
import { Pace } from './pace.ts';
import { type StepColumns, StepLog } from './steps.ts';
import type { StepRecord } from './types.ts';

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
  /** Read the trace of losses every so many steps; 1 where reading is free. Every step leaves a record all the same. */
  readonly readEvery?: number;
  /** So many non-finite steps in a row end the run. */
  readonly patience?: number;
  /** A residual above this is reported. */
  readonly largestResidual?: number;
  readonly onEvent?: (event: LoopEvent) => void;
  /** Called after each update with the number made so far, and awaited: samples, evaluations. */
  readonly between?: (done: number) => void | Promise<void>;
  /** Saves a checkpoint at least every so many steps or seconds, and on pause. */
  readonly checkpoint?: {
    readonly steps: number;
    readonly seconds: number;
    readonly save: (content: LoopState) => Promise<void>;
    /** Keeps the state on the host, for a device that may be lost: at the start, and when so many seconds have passed since it was last kept or saved. */
    readonly hold?: { readonly seconds: number; readonly keep: (content: LoopState) => void };
  };
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/** Everything that the next step depends on. */
export interface LoopState {
  /** Updates made. */
  readonly step: number;
  readonly state: Readonly<Record<string, Float32Array>>;
  readonly history: StepColumns;
}

export type LoopOutcome = 'finished' | 'paused' | 'stopped';

/** The loss or the gradient was not finite again and again. The executable's state is that of the last good update. */
export class NonFiniteError extends PlainError {
  override readonly name = 'NonFiniteError';
  /** First step of the unbroken row. */
  readonly firstBad: number;
  /** Updates in the newest checkpoint; null: none was saved. */
  readonly checkpointStep: number | null;

  constructor(firstBad: number, row: number, checkpointStep: number | null) {
    super(
      `Training broke down at step ${firstBad + 1}: the loss or its gradient was not finite ${row} times in a row.`,
    );
    this.firstBad = firstBad;
    this.checkpointStep = checkpointStep;
  }
}

/** Milliseconds that the rest of an update may take once a pause or stop is wished for. */
const LONG = 500;

/** A micro-step that was not finite spoils its update. */
const isBad = (r: StepRecord): boolean => r.skipped === true || !Number.isFinite(r.loss);

export class TrainingLoop {
  readonly #options: LoopOptions;
  readonly #now: () => number;
  readonly #pace = new Pace();
  #history = new StepLog();
  /** Runs whose row of the trace is not read yet, and when the first of them began. */
  #unread = 0;
  #unreadSince = 0;
  /** Rows of an update that is not complete. */
  #rows: number[][] = [];
  #unsent: StepRecord[] = [];
  #sentAt = -Infinity;
  #breathedAt = -Infinity;
  #step = 0;
  #wish: 'pause' | 'stop' | null = null;
  #savedStep: number | null = null;
  #savedAt = 0;
  #heldAt = -Infinity;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Updates made. */
  get step(): number {
    return this.#step;
  }

  get history(): StepLog {
    return this.#history;
  }

  /** Goes on from a checkpoint; before `run`. */
  async restore({ step, state, history }: LoopState): Promise<void> {
    await this.#options.executable.writeState(state);
    this.#step = step;
    this.#history = new StepLog(history);
    this.#savedStep = step;
    this.#unread = 0;
    this.#rows = [];
  }

  /** What a checkpoint holds of the loop. */
  async content(): Promise<LoopState> {
    const state = await this.#options.executable.readState();
    this.#readTrace(state['trace']);
    return {
      step: this.#step,
      state,
      history: this.#history.columns(),
    };
  }

  /** Asks `run` to save and return after the step under way, or before it where the rest of it would take long. */
  pause(): void {
    this.#wish ??= 'pause';
  }

  /** The same; the run counts as over. */
  stop(): void {
    this.#wish = 'stop';
  }

  /** Trains up to the last step, a pause or a stop. Throws NonFiniteError after `patience` bad steps in a row. */
  async run(): Promise<LoopOutcome> {
    const { steps, between } = this.#options;
    this.#savedAt = this.#now();
    await this.#holdIfDue();
    try {
      while (this.#step < steps && this.#wish === null) {
        if (!(await this.#update())) break;
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

  /** One update: `accumulate` micro-steps, the last of which moves the parameters. false: a wish came in the middle, and it was taken back. */
  async #update(): Promise<boolean> {
    const { executable, accumulate, steps, readEvery = 1 } = this.#options;
    const step = this.#step;
    const learningRate = this.#options.learningRate(step);
    const due = step === 0 || (step + 1) % readEvery === 0 || step === steps - 1;
    const began = this.#now();
    if (this.#unread === 0) this.#unreadSince = began;
    for (let micro = 0; micro < accumulate; micro++) {
      if (micro > 0) {
        await this.#breatheIfDue();
        if (this.#wish !== null && ((this.#now() - began) / micro) * (accumulate - micro) > LONG) {
          await this.#takeBack();
          return false;
        }
      }
      const feeds = await this.#options.feeds(step, micro, learningRate);
      const last = micro === accumulate - 1;
      this.#unread++;
      const reading = (due && last) || this.#unread === traceRows;
      const out = await executable.run(feeds, reading ? ['trace_next'] : []);
      if (last) {
        this.#pace.add(this.#now() - began);
        this.#step = step + 1;
      }
      if (reading) this.#readTrace(out['trace_next']);
    }
    return true;
  }

  /** As if the update had not begun. Its micro-steps depend on nothing but their numbers: made again, they come to the same. */
  async #takeBack(): Promise<void> {
    const { executable } = this.#options;
    const state = await executable.readState();
    this.#readTrace(state['trace']);
    this.#rows = [];
    const sums = updateSums.flatMap((name) => (state[name] ? [[name, state[name].fill(0)] as const] : []));
    await executable.writeState(Object.fromEntries(sums));
  }

  /** Turns the unread rows of the trace into records. The time between two reads is shared out evenly. */
  #readTrace(trace: TypedArray | undefined): void {
    const { accumulate, learningRate } = this.#options;
    if (this.#unread === 0) return;
    if (trace?.length !== traceRows * 4) throw new RangeError('The training program gave no trace.');
    const now = this.#now();
    const ms = ((now - this.#unreadSince) / this.#unread) * accumulate;
    for (let row = traceRows - this.#unread; row < traceRows; row++)
      this.#rows.push(Array.from({ length: 4 }, (_, i) => Number(trace[row * 4 + i])));
    this.#unread = 0;
    this.#unreadSince = now;
    while (this.#rows.length >= accumulate) {
      // The last micro-step's row tells of the whole update.
      const [loss, gradNorm, finite, residual] = this.#rows.splice(0, accumulate).at(-1)!;
      const step = this.#step - Math.floor(this.#rows.length / accumulate) - 1;
      this.#watch(step, residual!);
      this.#record({
        step,
        loss: loss!,
        learningRate: learningRate(step),
        gradNorm: gradNorm!,
        ms,
        ...(finite !== 1 && { skipped: true }),
        residual: residual!,
      });
    }
  }

  #watch(step: number, residual: number): void {
    const { largestResidual = Infinity, onEvent } = this.#options;
    if (residual > largestResidual) onEvent?.({ kind: 'residual', step, residual });
  }

  #record(record: StepRecord): void {
    const { patience = 5 } = this.#options;
    this.#history.push(record);
    this.#unsent.push(record);
    if (this.#now() - this.#sentAt >= 100) this.#send();
    // The row is counted in the history, so that a resumed run stops where an uncut one would.
    for (let last = 1; last <= patience; last++) {
      const one = this.#history.at(-last);
      if (!one || !isBad(one)) return;
    }
    throw new NonFiniteError(this.#history.at(-patience)!.step, patience, this.#savedStep);
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
    else await this.#holdIfDue();
  }

  async #holdIfDue(): Promise<void> {
    const hold = this.#options.checkpoint?.hold;
    if (!hold || this.#now() - this.#heldAt < hold.seconds * 1000) return;
    hold.keep(await this.content());
    this.#heldAt = this.#now();
  }

  async #save(): Promise<void> {
    const { checkpoint } = this.#options;
    if (!checkpoint) return;
    await checkpoint.save(await this.content());
    this.#savedStep = this.#step;
    this.#savedAt = this.#now();
    this.#heldAt = this.#savedAt;
  }

  /** Messages (pause, stop) are heard between steps; once in a frame's time is often enough. */
  async #breatheIfDue(): Promise<void> {
    if (this.#now() - this.#breathedAt < 16) return;
    await breathe();
    this.#breathedAt = this.#now();
  }
}
