/** @file One life of a run: from compiling, or a checkpoint, to its end, a stop or a pause. */
import { scheduleTensor } from '#src/optim/adamw.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import type { Executable } from '#src/runtime/types.ts';
import type { RunHeader } from '#src/store/runs.ts';
import type { CaptionEmbeddings } from '#src/tasks/diffusion/embeddings.ts';
import { CHECKPOINT_VERSION } from '#src/training/checkpoint.ts';
import { type LoopEvent, type LoopState, NonFiniteError, TrainingLoop } from '#src/training/loop.ts';
import { learningRateAt } from '#src/training/schedule.ts';
import type { Evaluation, RunEvent, RunResult } from '../protocol.ts';
import { type Adapter, anglesOf } from './adapter.ts';
import type { Bench } from './bench.ts';
import { jobBatches } from './feeds.ts';
import { problemOf, ProblemError } from './problems.ts';
import { draw, judge, rowsFor } from './samples.ts';
import { checkpointed, keptRows, type Runs, type SampleRow, type Saved } from './saved.ts';
import { FIRST_ROUNDS, type Setup } from './setup.ts';
import { type Stopwatch } from './stopwatch.ts';

/** The wish to pause or stop came in the middle of sampling. */
class CutShort extends Error {}

/** ‖I − AX‖ of the Newton–Schulz inverses above this asks for more rounds: float32 resolves about 1e-6. */
const LARGEST_RESIDUAL = 1e-4;
const MORE_ROUNDS = 4;
const MOST_ROUNDS = 30;

/** Reading the loss back waits for the GPU; on the CPU it costs nothing. */
const GPU_READ_EVERY = 5;

/** Angles are for the eye: not more often than this, milliseconds. */
const ANGLES_EVERY = 2000;

export interface RunContext {
  readonly id: string;
  readonly setup: Setup;
  readonly bench: Bench;
  /** Holds every caption and prompt of the job. */
  readonly embeddings: CaptionEmbeddings;
  readonly runs: Runs;
  readonly resume: Saved | null;
  readonly emit: (event: RunEvent) => void;
  /** The newest state, stored or not. */
  readonly onSaved: (header: RunHeader, saved: Saved) => void;
  readonly watch: Stopwatch;
}

export class Run {
  readonly #c: RunContext;
  readonly #loop: TrainingLoop;
  #executable: Executable | null = null;
  #rounds: number;
  #roundsWanted: boolean;
  readonly #readEvery: number;
  #rows: SampleRow[];
  #evaluations: Evaluation[];
  #wish: 'pause' | 'stop' | null = null;
  #sampleWish = false;
  #anglesAt = -Infinity;

  constructor(context: RunContext) {
    this.#c = context;
    const { setup, resume, bench } = context;
    this.#rounds = resume?.rounds ?? FIRST_ROUNDS;
    this.#roundsWanted = resume?.roundsWanted ?? false;
    this.#readEvery = bench.runtime.backend.kind === 'webgpu' ? GPU_READ_EVERY : 1;
    const same = JSON.stringify(resume?.checkpoint.job.sample) === JSON.stringify(setup.job.sample);
    this.#rows = same ? [...(resume?.samples ?? [])] : [];
    this.#evaluations = [...(resume?.checkpoint.evaluations ?? [])];
    const { train } = setup.job;
    this.#loop = new TrainingLoop({
      executable: this.#current(),
      steps: train.steps,
      accumulate: train.accumulate,
      feeds: this.#feeds(),
      learningRate: (step) => learningRateAt({ ...train, kind: train.schedule }, step),
      readEvery: this.#readEvery,
      largestResidual: LARGEST_RESIDUAL,
      onEvent: (event) => this.#onLoop(event),
      between: (done) => this.#between(done),
      checkpoint: {
        steps: train.checkpointSteps,
        seconds: train.checkpointSeconds,
        save: (state) => this.#save(state, false),
      },
    });
  }

  get id(): string {
    return this.#c.id;
  }

  pause(): void {
    this.#wish ??= 'pause';
    this.#loop.pause();
  }
  stop(): void {
    this.#wish = 'stop';
    this.#loop.stop();
  }
  sampleNow(): void {
    this.#sampleWish = true;
  }

  /** What it has learned so far. */
  async adapter(): Promise<Adapter> {
    const { id, setup } = this.#c;
    const { job, layout, model } = setup;
    return { id, job, layout, theta: await this.#theta(), step: this.#loop.step, modelHash: model.hash };
  }

  async run(): Promise<RunResult> {
    const { setup, resume, emit } = this.#c;
    emit({ kind: 'phase', phase: 'compiling' });
    await this.#compile();
    if (resume) {
      await this.#loop.restore(resume.checkpoint);
      for (const row of this.#rows) emit({ kind: 'samples', ...row });
      for (const evaluation of this.#evaluations) emit({ kind: 'evaluation', evaluation });
    }
    const { steps } = setup.job.train;
    if (this.#loop.step === 0) await this.#unlessCut(() => this.#evaluate(true));
    else if (this.#loop.step < steps) await this.#unlessCut(() => this.#rowIfDue());
    emit({ kind: 'phase', phase: 'training', done: this.#loop.step, total: steps });
    const outcome = await this.#train();
    return outcome === 'paused' ? this.#result('paused') : this.#finish(outcome);
  }

  async #train(): Promise<'finished' | 'stopped' | 'paused'> {
    try {
      return await this.#c.watch.time('train', () => this.#loop.run());
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      throw new ProblemError({
        code: 'non-finite',
        message: error.message,
        safe:
          error.checkpointStep === null
            ? 'Nothing was learned yet.'
            : `The state after ${error.checkpointStep} steps is saved.`,
        cure: 'Start again with a lower learning rate, or with clipping.',
      });
    }
  }

  /** Last samples and evaluation, then the checkpoint that says finished. */
  async #finish(outcome: 'finished' | 'stopped'): Promise<RunResult> {
    // A second stop, or a pause, can cut the last evaluation short; after a pause it is made when the run goes on.
    if (this.#wish === 'stop') this.#wish = null;
    const nothingNew = this.#loop.step === 0;
    const whole = nothingNew || (await this.#unlessCut(() => this.#evaluate(true)));
    if (!whole && this.#wish === 'pause') return this.#result('paused');
    this.#c.emit({ kind: 'phase', phase: 'saving' });
    await this.#save(await this.#loop.content(), true);
    return this.#result(outcome);
  }

  #result(outcome: RunResult['outcome']): RunResult {
    const { id, bench, watch } = this.#c;
    return {
      id,
      outcome,
      step: this.#loop.step,
      history: [...this.#loop.history],
      evaluations: [...this.#evaluations],
      backend: bench.runtime.backend,
      placement: bench.placement(),
      timings: watch.seconds(),
      memory: bench.runtime.memory(),
    };
  }

  /** Whoever holds this runs the step that is compiled at present. */
  #current(): Executable {
    const get = (): Executable => {
      if (!this.#executable) throw new Error('The training step is not compiled yet.');
      return this.#executable;
    };
    return {
      run: (feeds, reads) => get().run(feeds, reads),
      readState: () => get().readState(),
      writeState: (state) => get().writeState(state),
      placement: () => get().placement(),
      dispose: () => get().dispose(),
    };
  }

  /** Compiles the step; its state is the untouched model's. */
  async #compile(): Promise<void> {
    const { setup, bench, watch } = this.#c;
    await watch.time('compile', async () => {
      const program = setup.program(this.#rounds);
      this.#executable = await bench.training(setup.trainingKey(this.#rounds), () => program);
      await this.#executable.writeState(Object.fromEntries(program.state.map((s) => [s.name, s.init])));
    });
  }

  /** Blocks have turned so far that the inverse needs more rounds: compiled anew, the state goes over. */
  async #addRounds(): Promise<void> {
    this.#roundsWanted = false;
    if (this.#rounds >= MOST_ROUNDS || !this.#executable) return;
    const state = await this.#executable.readState();
    this.#rounds += MORE_ROUNDS;
    await this.#compile();
    await this.#executable.writeState(state);
  }

  #feeds(): (step: number, micro: number, rate: number) => Record<string, TypedArray> {
    const { setup, embeddings } = this.#c;
    const { train } = setup.job;
    const batches = jobBatches(setup, embeddings);
    return (step, micro, rate) => ({
      ...batches.batch(step, micro),
      schedule: scheduleTensor(rate, train.betas, step + 1, micro === train.accumulate - 1),
    });
  }

  #onLoop(event: LoopEvent): void {
    if (event.kind === 'steps') this.#c.emit(event);
    else this.#roundsWanted = true;
  }

  async #between(done: number): Promise<void> {
    // Saving reads the residual too, at times that differ from run to run; what is learned may not depend on them.
    if (this.#roundsWanted && done % this.#readEvery === 0) await this.#addRounds();
    const now = performance.now();
    if (now - this.#anglesAt > ANGLES_EVERY) await this.#angles();
    if (done < this.#c.setup.job.train.steps) await this.#unlessCut(() => this.#rowIfDue());
  }

  async #rowIfDue(): Promise<void> {
    const { every } = this.#c.setup.job.sample;
    const step = this.#loop.step;
    const due = every > 0 && step % every === 0;
    if (!this.#sampleWish && (!due || this.#evaluations.some((e) => e.step === step))) return;
    this.#sampleWish = false;
    await this.#evaluate(false);
    this.#c.emit({ kind: 'phase', phase: 'training', done: step, total: this.#c.setup.job.train.steps });
  }

  async #angles(): Promise<void> {
    this.#anglesAt = performance.now();
    this.#c.emit(anglesOf(this.#c.setup.layout, await this.#theta(), this.#loop.step));
  }

  async #theta(): Promise<Float32Array> {
    const state = await this.#executable?.readState();
    const theta = state?.['theta'];
    if (!theta) throw new Error('The training step has no parameters.');
    return theta;
  }

  /** Samples, and where asked the held-out loss, of the present state. */
  async #evaluate(withHeldout: boolean): Promise<void> {
    const { setup, bench, embeddings, emit, watch } = this.#c;
    const { job, model } = setup;
    const { scheduler } = model.folder;
    const step = this.#loop.step;
    const theta = await this.#theta();
    emit(anglesOf(setup.layout, theta, step));
    const adapted = { key: setup.layoutKey, layout: setup.layout, theta, strength: 1 };
    const tell =
      (phase: 'sampling' | 'evaluating') =>
      (done: number, total: number): void => {
        if (this.#wish) throw new CutShort();
        emit({ kind: 'phase', phase, done, total });
      };
    const drawn = await watch.time('sample', async () => {
      const forward = await bench.forward(model, adapted, rowsFor(job.sample));
      return draw(forward, scheduler, embeddings, job.sample, tell('sampling'));
    });
    const images = withHeldout ? (setup.heldout?.images ?? []) : [];
    const heldoutLoss = await watch.time('evaluate', async () =>
      images.length === 0
        ? null
        : judge(await bench.forward(model, adapted, 8), scheduler, embeddings, images, tell('evaluating')),
    );
    const row: SampleRow = { step, prompts: job.sample.prompts, pictures: drawn.pictures };
    this.#rows = keptRows([...this.#rows.filter((r) => r.step !== step), row]);
    if (drawn.pictures.length > 0) emit({ kind: 'samples', ...row });
    const evaluation: Evaluation = { step, heldoutLoss, saturation: drawn.saturation };
    this.#evaluations = [...this.#evaluations.filter((e) => e.step !== step), evaluation];
    emit({ kind: 'evaluation', evaluation });
  }

  /** false: a pause or stop came in between, and the work was left undone. */
  async #unlessCut(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof CutShort) return false;
      throw error;
    }
  }

  async #save(state: LoopState, finished: boolean): Promise<void> {
    const { id, setup, bench, runs, emit, onSaved } = this.#c;
    const { job, model } = setup;
    const saved: Saved = {
      checkpoint: {
        ...state,
        state: Object.fromEntries(Object.entries(state.state).filter(([name]) => checkpointed(name))),
        version: CHECKPOINT_VERSION,
        job,
        modelHash: model.hash,
        seed: job.train.seed,
        backend: bench.runtime.backend.kind,
        evaluations: [...this.#evaluations],
      },
      planned: setup.planned,
      dataHash: setup.dataHash,
      rounds: this.#rounds,
      roundsWanted: this.#roundsWanted,
      samples: this.#rows,
    };
    const header = {
      id,
      job,
      step: state.step,
      savedAt: Date.now(),
      finished,
      modelName: setup.modelName,
      dataName: setup.dataName,
      selfContained: setup.selfContained,
    };
    onSaved({ ...header, bytes: 0 }, saved);
    try {
      const { bytes } = await this.#c.watch.time('save', () => runs.save(header, saved));
      emit({ kind: 'checkpoint', step: state.step, bytes });
    } catch (error) {
      const problem = problemOf(error);
      emit({
        kind: 'warning',
        problem: { ...problem, safe: 'The run goes on; earlier checkpoints are kept.' },
      });
    }
  }
}
