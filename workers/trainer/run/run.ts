/** @file One life of a run: from compiling, or a checkpoint, to its end, a stop or a pause. */
import type { RunLife, WrittenHeader } from '#src/store/runHeader.ts';
import type { TaskHost } from '#src/tasks/types.ts';
import { CHECKPOINT_VERSION, meansOf } from '#src/training/checkpoint.ts';
import { withMeans } from '#src/training/means.ts';
import type { Means, MeansFrom } from '#src/training/types.ts';
import { type LoopEvent, type LoopState, NonFiniteError, TrainingLoop } from '#src/training/loop.ts';
import { LARGEST_RESIDUAL } from '#src/training/rounds.ts';
import { factorAt } from '#src/optim/rates.ts';
import { learningRateAt } from '#src/training/schedule.ts';
import { LossWatch } from '#src/training/watch.ts';
import { usualRateOf } from '#src/formats/jobs/job.ts';
import type { RateChange, RunEvent, RunResult } from '../../protocol.ts';
import { type Adapter, anglesOf } from '../adapters/adapter.ts';
import type { Bench } from '../bench.ts';
import type { Journal } from '../library/journal.ts';
import { jobFeeds } from './feeds.ts';
import { problemOf, ProblemError } from '../problems.ts';
import { checkpointed, type Runs, type Saved } from '../saved.ts';
import type { Made } from '../library/shown.ts';
import type { Setup } from '../prepare/types.ts';
import { inversion } from './resume.ts';
import { Showing } from './showing.ts';
import { TrainingStep } from './step.ts';
import { type Stopwatch } from './stopwatch.ts';

/** Reading the loss back waits for the GPU; on the CPU it costs nothing. */
const GPU_READ_EVERY = 5;

/** Seconds between two copies of the state on the host: so much is trained again where the device is lost. */
const HOLD_EVERY = 10;
/** Angles are for the eye: not more often than this, milliseconds. */
const ANGLES_EVERY = 2000;

export interface RunContext {
  /** Of this run; it hears all that `emit` is told. */
  readonly journal: Journal;
  readonly setup: Setup;
  readonly bench: Bench;
  readonly host: TaskHost;
  readonly runs: Runs;
  readonly resume: Saved | null;
  /** What computes it from here on. */
  readonly means: Means;
  readonly emit: (event: RunEvent) => void;
  /** The newest state, stored or not. */
  readonly onSaved: (saved: Saved) => void;
  readonly watch: Stopwatch;
}

/** A state that was not saved, with the header that belongs to it. */
export interface Unsaved {
  readonly header: WrittenHeader;
  readonly saved: Saved;
}

export class Run {
  readonly #c: RunContext;
  readonly #loop: TrainingLoop;
  readonly #step: TrainingStep;
  readonly #showing: Showing;
  /** The largest that was not looked into yet. */
  #residual: number;
  /** Its state lies where it can be lost. */
  readonly #onDevice: boolean;
  readonly #readEvery: number;
  readonly #losses: LossWatch;
  #unsaved: Unsaved | null = null;
  readonly #means: readonly MeansFrom[];
  #wish: 'pause' | 'stop' | null = null;
  #anglesAt = -Infinity;
  /** The step under way, or the last one: its learning rate is settled. */
  #fed = -1;
  /** Nothing is trained any more. */
  #over = false;

  constructor(context: RunContext) {
    this.#c = context;
    const { setup, resume, bench, watch } = context;
    const { rounds, residual } = inversion(resume, setup);
    this.#step = new TrainingStep(setup, bench, watch, rounds);
    this.#residual = residual;
    this.#onDevice = bench.runtime.backend.kind === 'webgpu';
    this.#readEvery = this.#onDevice ? GPU_READ_EVERY : 1;
    const from = resume?.checkpoint;
    this.#means = withMeans(from ? meansOf(from) : [], from?.step ?? 0, context.means);
    const { train } = setup.job;
    const feeds = jobFeeds(setup);
    const { learningRate, warmup } = train;
    this.#losses = new LossWatch(
      { learningRate, warmup, usualRate: usualRateOf(setup.job), guess: setup.prepared.guess ?? null },
      resume?.checkpoint.history.loss,
    );
    this.#showing = new Showing({
      ...context,
      step: this.#step,
      done: () => this.#loop.step,
      cut: () => this.#wish !== null,
    });
    this.#loop = new TrainingLoop({
      executable: this.#step,
      steps: train.steps,
      accumulate: train.accumulate,
      feeds: async (step, micro, rate) => {
        this.#fed = step;
        await this.#step.use(setup.prepared.variant?.(step) ?? 0);
        await this.#step.meet(rate);
        return feeds(step, micro, rate);
      },
      learningRate: (step) =>
        learningRateAt({ ...train, kind: train.schedule }, step) * factorAt(context.journal.rates, step),
      readEvery: this.#readEvery,
      largestResidual: LARGEST_RESIDUAL,
      onEvent: (event) => this.#onLoop(event),
      between: (done) => this.#between(done),
      checkpoint: {
        steps: train.checkpointSteps,
        seconds: train.checkpointSeconds,
        save: (state) => this.#save(state, 'running'),
        ...(this.#onDevice && {
          hold: { seconds: HOLD_EVERY, keep: (state) => context.onSaved(this.#saved(state)) },
        }),
      },
    });
  }

  get id(): string {
    return this.#c.journal.id;
  }

  /** Newton–Schulz rounds compiled into the step. */
  get rounds(): number {
    return this.#step.rounds;
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
    this.#showing.wish();
  }

  /** What could not be saved, if that is newer than all that is. */
  get unsaved(): Unsaved | null {
    return this.#unsaved;
  }

  /** How it was asked to end. */
  get wish(): 'pause' | 'stop' | null {
    return this.#wish;
  }

  /** Its steps are done. */
  get over(): boolean {
    return this.#over;
  }

  /** Multiplies the schedule's learning rate from the next step on. */
  async changeRate(factor: number): Promise<RateChange> {
    const change = { step: Math.max(this.#fed + 1, this.#loop.step), factor };
    this.#c.emit({ kind: 'rate', ...change });
    await this.#c.journal.noteNow();
    return change;
  }

  /** What it has learned so far. */
  async adapter(): Promise<Adapter> {
    const { setup } = this.#c;
    const { id } = this;
    const { job, layers, layout, model } = setup;
    const theta = await this.#step.theta();
    const { classes } = setup.prepared;
    return { id, job, layers, layout, theta, step: this.#loop.step, modelHash: model.hash, classes };
  }

  async run(): Promise<RunResult> {
    const { setup, resume, emit } = this.#c;
    emit({ kind: 'phase', phase: 'compiling' });
    await this.#step.compile();
    if (resume) {
      await this.#loop.restore(resume.checkpoint);
      emit(this.#restored(resume));
      this.#showing.restore();
    }
    const { step } = this.#loop;
    const { steps } = setup.job.train;
    if (step > 0 && step < steps) await this.#showing.between();
    this.#showing.tellTraining();
    const outcome = await this.#train().finally(() => (this.#over = true));
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
            ? 'Nothing was saved before.'
            : `The state after ${error.checkpointStep} steps is saved.`,
        cure: 'Start again with a lower learning rate, or with clipping.',
      });
    }
  }

  /** Last samples and evaluation, then the checkpoint that says finished. */
  async #finish(outcome: 'finished' | 'stopped'): Promise<RunResult> {
    // A second stop, or a pause, can cut the last evaluation short; after a pause it is made when the run goes on.
    if (this.#wish === 'stop') this.#wish = null;
    // Who stopped it while its beginning was judged does not wait for that again.
    const judged = this.#loop.step > 0 && !(outcome === 'stopped' && this.#showing.startCut);
    await this.#suit();
    const whole = !judged || (await this.#showing.end());
    if (!whole && this.#wish === 'pause') return this.#result('paused');
    this.#c.emit({ kind: 'phase', phase: 'saving' });
    await this.#save(await this.#loop.content(), outcome);
    return this.#result(outcome);
  }

  #result(outcome: RunResult['outcome']): RunResult {
    return {
      id: this.id,
      outcome,
      step: this.#loop.step,
      history: this.#loop.history.columns(),
      evaluations: [...this.#showing.evaluations],
      means: this.#means,
      orthogonality: this.#showing.evaluations.find((e) => e.step === this.#loop.step)?.orthogonality,
      ...this.#made(),
    };
  }

  #made(): Made {
    const { bench, watch } = this.#c;
    return {
      backend: bench.runtime.backend,
      placement: bench.placement(),
      timings: watch.seconds(),
      memory: bench.runtime.memory(),
    };
  }

  /** What the page shows of it: the journal's, which has heard what was said on the way here, too. */
  #restored({ checkpoint }: Saved): RunEvent {
    const { checkpoint: stored, angles, warnings, rates } = this.#c.journal;
    const { step, history } = checkpoint;
    return { kind: 'restored', step, stored, history, angles, warnings, rates };
  }

  #onLoop(event: LoopEvent): void {
    if (event.kind === 'steps') {
      this.#c.emit(event);
      for (const { loss } of event.records) this.#look(loss);
    } else this.#residual = Math.max(this.#residual, event.residual);
  }

  #look(loss: number): void {
    const trouble = this.#losses.note(loss);
    if (!trouble) return;
    const { kind, message, cure } = trouble;
    const safe = 'The run goes on.';
    this.#c.emit({ kind: 'warning', problem: { code: `loss-${kind}`, message, safe, cure } });
  }

  async #between(done: number): Promise<void> {
    // Saving reads the residual too, at times that differ from run to run; what is learned may not depend on them.
    if (done % this.#readEvery === 0) await this.#suit();
    const now = performance.now();
    if (now - this.#anglesAt > ANGLES_EVERY) await this.#angles();
    if (done < this.#c.setup.job.train.steps) await this.#showing.between();
  }

  /** Gives the inverses more rounds if a residual asked for them. */
  async #suit(): Promise<void> {
    const residual = this.#residual;
    this.#residual = 0;
    if (residual > 0) await this.#step.suit(residual);
  }

  async #angles(): Promise<void> {
    this.#anglesAt = performance.now();
    this.#c.emit(anglesOf(this.#c.setup.layout, await this.#step.theta(), this.#loop.step));
  }

  /** All that it takes to go on from a state, and to show the run again. */
  #saved(state: LoopState): Saved {
    const { journal, setup, bench } = this.#c;
    const { job, model } = setup;
    return {
      checkpoint: {
        ...state,
        state: Object.fromEntries(Object.entries(state.state).filter(([name]) => checkpointed(name))),
        version: CHECKPOINT_VERSION,
        job,
        modelHash: model.hash,
        seed: job.train.seed,
        backend: bench.runtime.backend.kind,
        threads: bench.runtime.backend.threads,
        means: this.#means,
        evaluations: [...this.#showing.evaluations],
        ...(journal.rates.length > 0 && { rates: journal.rates }),
      },
      adapter: setup.adapter,
      layers: setup.layers,
      planned: setup.planned,
      whole: setup.layout.whole.map(({ name, shape }) => ({ name, shape })),
      dataHash: setup.prepared.dataHash,
      ...(setup.prepared.classes && { classes: setup.prepared.classes }),
      rounds: this.#step.rounds,
      residual: this.#residual,
      samples: [...this.#showing.rows],
      shown: {
        angles: journal.angles ?? undefined,
        warnings: journal.warnings,
        unsaveable: setup.foundUnsaveable(),
        made: this.#made(),
      },
    };
  }

  async #save(state: LoopState, life: RunLife): Promise<void> {
    const { journal, runs, emit, onSaved } = this.#c;
    const saved = this.#saved(state);
    const header = journal.header(state.step, life, state.history);
    onSaved(saved);
    try {
      const { bytes } = await this.#c.watch.time('save', () => runs.save(header, saved));
      journal.saved(header, bytes);
      this.#unsaved = null;
      emit({ kind: 'checkpoint', step: state.step, bytes });
    } catch (error) {
      this.#unsaved = { header, saved };
      emit({ kind: 'unsaved', step: state.step, problem: problemOf(error) });
    }
  }
}
