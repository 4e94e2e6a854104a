/** @file The run that goes on, one at a time: asked for, made ready, trained, and heard while it trains. */
import { holdRun } from '#src/store/runLock.ts';
import { isFactor } from '#src/optim/rates.ts';
import { meansOf } from '#src/training/checkpoint.ts';
import { differences } from '#src/training/means.ts';
import type { Mutex } from '#src/runtime/mutex.ts';
import type {
  Difference,
  JobRequest,
  Outcome,
  Problem,
  RateChange,
  RunEvent,
  RunResult,
  StoredCheckpoint,
} from '../../protocol.ts';
import type { Shelf } from '../adapters/shelf.ts';
import type { Devices } from '../devices.ts';
import type { Environment } from '../environment.ts';
import { fetchedAnew } from '../files/anew.ts';
import type { Lent } from '../lent.ts';
import { noFactor, rateChanged } from '../library/branching.ts';
import { Journal } from '../library/journal.ts';
import type { Preparing } from '../prepare/preparing.ts';
import type { Setup } from '../prepare/types.ts';
import { bad, busy, noRun, problemOf, ProblemError } from '../problems.ts';
import type { Saved } from '../saved.ts';
import { checkedJob, matchSaved, meansNow, readSaved } from './resume.ts';
import { throughLosses } from './losses.ts';
import { Run, type Unsaved } from './run.ts';
import { seldom } from './seldom.ts';
import { Stopwatch } from './stopwatch.ts';

export interface TrainingContext extends Pick<Environment, 'runs' | 'prepared' | 'versions'> {
  readonly devices: Devices;
  readonly preparing: Preparing;
  readonly lent: Lent;
  readonly shelf: Shelf;
  /** One job at a time. */
  readonly jobs: Mutex;
  readonly newId: () => string;
  /** Frees what belongs to no run. */
  readonly tidy: () => Promise<void>;
  /** Whatever is thrown, as data. */
  readonly outcome: <T>(work: () => Promise<T>) => Promise<Outcome<T>>;
}

/** What is known of a run's end, and what it was made of. */
interface Ended extends Pick<RunResult, 'placement' | 'memory'> {
  readonly setup: Setup;
}

export class Training {
  readonly #c: TrainingContext;
  /** A start was asked for and has not ended. */
  #running = false;
  #ended: Promise<unknown> = Promise.resolve();
  #run: Run | null = null;
  /** Of the run that was asked for. */
  #journal: Journal | null = null;
  /** A pause or stop that came before the run stood. */
  #early: 'pause' | 'stop' | null = null;
  #watch = new Stopwatch();
  #last: Ended | null = null;
  /** Of the last run. */
  #unsaved: Unsaved | null = null;

  constructor(context: TrainingContext) {
    this.#c = context;
  }

  get running(): boolean {
    return this.#running;
  }
  /** Of the run that was asked for, once it is known. */
  get id(): string | null {
    return this.#journal?.id ?? null;
  }
  /** The run, once it stands. */
  get run(): Run | null {
    return this.#run;
  }
  /** Where the time of the present or last run went. */
  get watch(): Stopwatch {
    return this.#watch;
  }
  /** The last run's end, whose step is freed since. */
  get last(): Ended | null {
    return this.#last;
  }

  /**
   * A run from its beginning, or from its newest checkpoint, to its end.
   * @param resume the id of a saved run that goes on
   * @param id of a new one; absent: any
   * @param note a warning that it begins with
   */
  async start(
    request: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume?: string,
    id?: string,
    note?: Problem,
  ): Promise<Outcome<RunResult>> {
    if (this.#running) return bad(busy);
    this.#running = true;
    this.#early = null;
    const { outcome, jobs } = this.#c;
    const ended = outcome(() => jobs.run(() => this.#start(request, onEvent, resume, id, note)));
    this.#ended = ended;
    try {
      return await ended;
    } finally {
      this.#running = false;
      this.#run = null;
      this.#journal = null;
    }
  }

  /** In what a saved run would go on otherwise, on the device that the request wants. Throws ProblemError or StoreError. */
  async differences(given: JobRequest, id: string): Promise<readonly Difference[]> {
    const { devices, versions } = this.#c;
    const { checkpoint } = await this.#saved(id, () => undefined);
    const { runtime } = await devices.get(given.backend);
    return differences(
      meansOf(checkpoint).at(-1)!,
      meansNow(runtime.backend, checkedJob(given.job), versions),
    );
  }

  async pause(): Promise<void> {
    if (this.#run) this.#run.pause();
    else this.#early ??= 'pause';
    await this.#ended;
  }

  async stop(): Promise<void> {
    if (this.#run) this.#run.stop();
    else this.#early = 'stop';
    await this.#ended;
  }

  /** Saves what the last run could not. Throws ProblemError, or StoreError where there is still no room. */
  async saveAgain(): Promise<StoredCheckpoint> {
    if (this.#running) throw new ProblemError(busy);
    if (!this.#unsaved) throw new ProblemError(noRun);
    const { header, saved } = this.#unsaved;
    const savedAt = Date.now();
    const { bytes } = await this.#c.runs.save({ ...header, savedAt }, saved);
    this.#unsaved = null;
    return { step: header.step, bytes, at: savedAt };
  }

  /** The learning rate of a run, that goes on or is saved. Throws ProblemError. */
  async changeRate(id: string, factor: number): Promise<RateChange> {
    if (!isFactor(factor)) throw new ProblemError(noFactor);
    const run = this.#run;
    if (run?.id === id && !run.over) return run.changeRate(factor);
    if (this.#running) throw new ProblemError(busy);
    const { jobs, runs } = this.#c;
    return jobs.run(() => rateChanged(runs, id, factor));
  }

  async #start(
    given: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume: string | undefined,
    id: string | undefined,
    note: Problem | undefined,
  ): Promise<RunResult> {
    const request = { ...given, job: checkedJob(given.job) };
    const early: RunEvent[] = note ? [{ kind: 'warning', problem: note }] : [];
    const saved = resume === undefined ? null : await this.#saved(resume, (event) => early.push(event));
    const { runs, newId, devices } = this.#c;
    const header = resume === undefined ? null : await runs.find(resume).catch(() => null);
    const name = resume ?? id ?? newId();
    // What a worker that ended began with and saved nothing of is no other run.
    const found = saved ? null : await runs.find(name).catch(() => null);
    if (found && found.checkpoints > 0) throw new Error(`The id ${name} is another run's.`);
    const release = await holdRun(name);
    const journal = new Journal(name, runs, request, saved && { header, saved });
    this.#journal = journal;
    const emit = (event: RunEvent): void => {
      journal.hear(event);
      onEvent(event);
    };
    emit({ kind: 'phase', phase: 'loading' });
    for (const event of early) emit(event);
    try {
      return await journal.keep(
        () =>
          throughLosses(request, saved, {
            train: (asked, from) => this.#train(asked, emit, from, journal),
            lost: () => devices.whyLost(),
            newest: () => this.#c.shelf.saved(journal.id),
            warn: (problem) => emit({ kind: 'warning', problem }),
          }),
        (error) => problemOf(error, devices.lost),
      );
    } finally {
      await release();
    }
  }

  async #train(
    request: JobRequest,
    emit: (event: RunEvent) => void,
    saved: Saved | null,
    journal: Journal,
  ): Promise<RunResult> {
    const { preparing, lent, shelf, runs, devices } = this.#c;
    const watch = new Stopwatch();
    this.#watch = watch;
    const tell = seldom(emit);
    const bench = await preparing.device(request, ({ done, total }) =>
      tell({ kind: 'phase', phase: 'fetching', done, total }, done === total),
    );
    const setup = await watch.time('load', () =>
      preparing.make(request, saved, ({ done, total }) => {
        tell({ kind: 'phase', phase: 'preparing', done, total }, done === total);
      }),
    );
    for (const problem of fetchedAnew(devices.takeAnew())) emit({ kind: 'warning', problem });
    const error = setup.problems.find(({ severity }) => severity === 'error');
    if (error) throw new ProblemError(error);
    const means = meansNow(bench.runtime.backend, setup.job, this.#c.versions);
    if (saved) matchSaved(saved, setup, means, emit);
    await watch.time('embed', () =>
      setup.prepared.warm(lent.host, (done, total) => {
        tell({ kind: 'phase', phase: 'preparing', done, total }, done === total);
      }),
    );
    await this.#c.prepared?.flush();
    await this.#c.tidy();
    if (saved) await journal.begin();
    const run = new Run({
      journal,
      setup,
      bench,
      host: lent.host,
      runs,
      resume: saved,
      means,
      emit,
      onSaved: (state) => shelf.put(journal.id, state),
      watch,
    });
    this.#run = run;
    shelf.close();
    if (this.#early === 'pause') run.pause();
    if (this.#early === 'stop') run.stop();
    try {
      const result = await run.run();
      this.#last = { placement: result.placement, memory: result.memory, setup };
      const adapter = await run.adapter();
      const { model, external, layoutKey } = setup;
      shelf.leave({ adapter, model, external, layoutKey });
      return result;
    } finally {
      this.#run = null;
      this.#unsaved = run.unsaved;
      // Should the run go on on another device, it ends there.
      this.#early ??= run.wish;
      if (bench.lost === null) await bench.endTraining();
    }
  }

  async #saved(id: string, emit: (event: RunEvent) => void): Promise<Saved> {
    const { shelf, runs } = this.#c;
    return shelf.saved(id) ?? readSaved(runs, id, emit);
  }
}
