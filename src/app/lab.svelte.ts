/** @file The page's whole state: which screen, which job with which files, what the worker made of it, and the run. */
import { jobFromTable, rebased } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendKind, BackendReport } from '#src/runtime/types.ts';
import { askToPersist } from '#src/store/persistence.ts';
import type { Layer, Plan } from '#src/oft/types.ts';
import type { TaskInfo } from '#src/tasks/info.ts';
import type {
  AdapterReport,
  JobRequest,
  Outcome,
  Preparation,
  PrepareProgress,
  Problem,
  RunEvent,
  RunResult,
  RunSummary,
  Source,
} from '#workers/protocol.ts';
import type { Trainer } from './worker/client.ts';
import { Comparison } from './result/comparison.svelte.ts';
import { remember } from './run/estimate.ts';
import { EventLog } from './page/eventLog.ts';
import { percent, plural } from './words/format.ts';
import { addPasted, type Pasted } from './data/pasted.ts';
import { jobWith, judgedByShare, withPicked } from './data/picking.ts';
import { NOTHING, requestOf, type Picked } from './worker/request.ts';
import { Inspector } from './model/inspector.svelte.ts';
import { failed, toProblem } from './worker/problems.ts';
import { RemoteModels } from './model/remote.svelte.ts';
import { RunState } from './run/run.svelte.ts';
import type { Screen } from './page/screens.ts';
import { drawsPrompts, taskOf } from './words/taskWords.ts';
import { TabGuard, WakeLock, type OtherTab } from './page/tab.ts';

/** An adapter file on trial: what became of it, and how to draw with it. */
export interface OpenedAdapter {
  readonly name: string;
  readonly report: AdapterReport;
  readonly sample: Job['sample'];
}

export class Lab {
  readonly trainer: Trainer;
  readonly run = new RunState();
  /** What happened last, for error reports. */
  readonly log = new EventLog();
  readonly comparison: Comparison;
  readonly inspector: Inspector;
  readonly remote: RemoteModels;
  readonly defaultJob: Job;
  readonly #wake = new WakeLock();
  readonly #tab: TabGuard;

  #screen = $state<Screen>('home');
  #job = $state.raw<Job>() as Job;
  #picked = $state.raw<Picked>(NOTHING);
  #preference = $state<BackendKind | 'auto'>('auto');
  #backend = $state.raw<BackendReport | null>(null);
  #preparation = $state.raw<Preparation | null>(null);
  #seen = $state.raw<Preparation | null>(null);
  #preparing = $state<'no' | 'reading' | 'timing'>('no');
  #progress = $state.raw<PrepareProgress | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #unfinished = $state.raw<RunSummary | null>(null);
  #shared = $state.raw<Job | null>(null);
  #linkProblem = $state.raw<Problem | null>(null);
  #otherTab = $state.raw<OtherTab | null>(null);
  #layers = $state.raw<readonly Layer[] | null>(null);
  #opened = $state.raw<OpenedAdapter | null>(null);
  #opening = $state(false);
  #announcement = $state('');
  #quarter = 0;
  #prepareCount = 0;

  constructor(trainer: Trainer, defaultJob: Job) {
    this.trainer = trainer;
    this.comparison = new Comparison(trainer);
    this.inspector = new Inspector(trainer);
    this.remote = new RemoteModels(trainer);
    this.defaultJob = defaultJob;
    this.#job = defaultJob;
    this.#tab = new TabGuard((other) => (this.#otherTab = other));
  }

  get screen() {
    return this.#screen;
  }
  get job(): Job {
    return this.#job;
  }
  get picked() {
    return this.#picked;
  }
  get preference() {
    return this.#preference;
  }
  get backend() {
    return this.#backend;
  }
  /** What the worker made of the present job; null while it has not looked, or the job changed since. */
  get preparation() {
    return this.#preparation;
  }
  /** The same, or while it is asked anew about the same model and data, what it was: so that the page does not jump at every edit. */
  get seen(): Preparation | null {
    return this.#preparation ?? this.#seen;
  }
  get preparing() {
    return this.#preparing;
  }
  /** How far the preparation is; null: it has not said, or none is going on. */
  get progress() {
    return this.#progress;
  }
  /** The task of the present job. */
  get task(): TaskInfo {
    return taskOf(this.#job);
  }
  /** Why the last preparation failed as a whole. */
  get problem() {
    return this.#problem;
  }
  get unfinished() {
    return this.#unfinished;
  }
  /** The job of the link that opened the page. */
  get shared() {
    return this.#shared;
  }
  get linkProblem() {
    return this.#linkProblem;
  }
  get otherTab() {
    return this.#otherTab;
  }
  /** The adapter on trial, as opened by `tryAdapter`; null while a run's own result is shown. */
  get opened() {
    return this.#opened;
  }
  get opening() {
    return this.#opening;
  }
  /** Layers of the present model that can be adapted; null until the worker has read it. They outlive edits of the plan. */
  get layers(): readonly Layer[] | null {
    return this.#layers;
  }
  /** For the status line that screen readers hear. */
  get announcement() {
    return this.#announcement;
  }
  /** The present job is the built-in demo, whose cost is known. */
  get isDemo() {
    return this.#picked === NOTHING && this.#job.model === this.defaultJob.model;
  }

  go(screen: Screen): void {
    this.#screen = screen;
  }

  /** Shows what is in a model's files. */
  inspect(source: Source): Promise<void> {
    this.#screen = 'inspect';
    return this.inspector.open(source);
  }

  /** Goes on from the inspector to a run on the inspected files: by the task that takes any model, unless they are a pipeline. */
  trainModel(): void {
    const { source, inspection } = this.inspector;
    if (!source) return;
    this.chooseTask(inspection?.pipeline ? 'diffusion' : 'generic');
    this.pick({ model: source });
    this.#screen = 'prepare';
  }

  /** A task's built-in example, with its own model and data. */
  openExample(task: string): void {
    this.reset(task === this.defaultJob.task ? this.defaultJob : jobFromTable({ task }));
  }

  /** Another task for what was picked; without own files, its example. */
  chooseTask(task: string): void {
    if (!this.#picked.model && !this.#picked.train) {
      this.openExample(task);
      return;
    }
    const example = task === this.defaultJob.task ? this.defaultJob : jobFromTable({ task });
    this.setJob(withPicked(example, this.#job, this.#picked));
  }

  async cancelPreparation(): Promise<void> {
    await this.trainer.cancelPreparation();
  }

  /** The cheap questions of a first visit: which device, and is anything unfinished. */
  async wakeUp(): Promise<void> {
    try {
      this.#backend = await this.trainer.device(this.#preference);
      const last = await this.trainer.lastRun();
      this.#unfinished = last && !last.finished ? last : null;
    } catch (cause) {
      this.#problem = toProblem(cause, { cure: 'Reload the page.' });
    }
  }

  /** What the worker trains on, now that it may have changed. */
  async #askDevice(): Promise<void> {
    this.#backend = await this.trainer.device(this.#preference).catch(() => this.#backend);
  }

  async prefer(backend: BackendKind | 'auto'): Promise<void> {
    this.#preference = backend;
    this.#preparation = null;
    await this.wakeUp();
  }

  openLink(job: Job): void {
    this.#shared = job;
  }
  refuseLink(problem: Problem): void {
    this.#linkProblem = problem;
  }

  /** Another job, or another version of it; what the worker said of the old one no longer holds. */
  setJob(job: Job): void {
    if (job.model !== this.#job.model) this.#layers = null;
    const { task, model, data } = this.#job;
    const same = job.task === task && job.model === model && job.data.train === data.train;
    this.#seen = same ? this.seen : null;
    this.#job = job;
    this.#preparation = null;
    // An answer that is still on its way is about the old job.
    this.#prepareCount++;
    this.#preparing = 'no';
  }

  /** Another plan: a learning rate that nobody chose goes with it. */
  setPlan(plan: Plan): void {
    this.setJob(rebased({ ...this.#job, plan }, this.#job));
  }

  pick(files: Partial<Picked>): void {
    this.#picked = { ...this.#picked, ...files };
    if (files.model) this.#layers = null;
    this.setJob(jobWith(this.#job, files, this.#picked));
    // Other files can have the same name.
    this.#seen = null;
    const { model, train, heldout, adapter } = this.#picked;
    if (model || train || heldout || adapter) this.#problem = null;
  }

  /** Adds what was pasted to the data; false: there was nothing in it. */
  paste(things: readonly Pasted[]): boolean {
    const train = addPasted(this.#picked.train, things);
    if (!train) return false;
    this.pick({ train });
    this.#say(`Pasted. ${plural(train.files.length, 'file')} in all.`);
    return true;
  }

  /** Held-out data of their own are dropped: a share of the data is held out instead. */
  judgeByShare(): void {
    this.#picked = { ...this.#picked, heldout: null };
    this.#problem = null;
    this.setJob(judgedByShare(this.#job));
  }

  /** Back to the built-in job with the built-in files. */
  reset(job: Job = this.defaultJob): void {
    if (this.#picked.model) this.#layers = null;
    this.#picked = NOTHING;
    this.#problem = null;
    this.setJob(job);
  }

  request(job: Job = this.#job): JobRequest | Problem {
    return requestOf(job, this.#picked, this.#preference);
  }

  /** All that a report of this problem says, as text. */
  async report(problem: Problem): Promise<string> {
    const { errorReport } = await import('./page/report.ts');
    const { status, step, total, phase } = this.run;
    const running = status === 'idle' ? '' : `; run ${status}, step ${step} of ${total}`;
    return errorReport({
      problem,
      job: this.run.busy || status === 'failed' ? this.run.job : this.#job,
      backend: this.#backend,
      events: this.log.events,
      state: `screen ${this.#screen}${running}${phase ? `, ${phase.name}` : ''}`,
    });
  }

  /** Loads model and data, plans the layers, lists all problems; with `probe`, times a few steps. */
  async prepare(
    probe: boolean,
    hear: (progress: PrepareProgress) => void = () => undefined,
  ): Promise<Outcome<Preparation>> {
    const request = this.request();
    if ('code' in request) {
      this.#problem = request;
      return failed(request);
    }
    const turn = ++this.#prepareCount;
    this.#preparing = probe ? 'timing' : 'reading';
    this.#problem = null;
    this.#progress = null;
    const outcome = await this.trainer.prepare(request, probe, (progress) => {
      if (turn !== this.#prepareCount) return;
      this.#progress = progress;
      hear(progress);
    });
    // A newer question overtook this one: its answer is the one to show.
    if (turn !== this.#prepareCount) return outcome;
    this.#preparing = 'no';
    this.#progress = null;
    if (outcome.ok) {
      this.#backend = outcome.value.backend;
      this.#preparation = outcome.value;
      this.#layers = outcome.value.layers;
    } else {
      this.#problem = outcome.problem;
      this.log.note(`not made ready: ${outcome.problem.message}`);
      this.#seen = null;
    }
    return outcome;
  }

  /** Loads the picked adapter on the model with no training, and shows what it draws. */
  async tryAdapter(): Promise<Outcome<AdapterReport>> {
    const request = this.request();
    if ('code' in request) {
      this.#problem = request;
      return failed(request);
    }
    const { adapter } = request;
    if (!adapter)
      return failed({
        code: 'bad-data',
        message: 'No adapter was picked.',
        cure: 'Pick its file or folder.',
      });
    if (this.run.busy)
      return failed({ code: 'busy', message: 'A run is going on.', cure: 'Pause or stop it first.' });
    this.#opening = true;
    this.#problem = null;
    const outcome = await this.trainer.openAdapter({ ...request, adapter });
    this.#opening = false;
    if (!outcome.ok) {
      this.#problem = outcome.problem;
      return outcome;
    }
    this.#opened = {
      name: adapter.kind === 'files' ? adapter.name : adapter.id,
      report: outcome.value,
      sample: request.job.sample,
    };
    this.#say(`${this.#opened.name} is loaded: ${outcome.value.loaded} layers.`);
    this.comparison.open(request.job.sample, [], 0);
    this.#screen = 'result';
    return outcome;
  }

  /** Trains the present job to its end, a stop or a pause. `resume`: the id of the saved run to go on with. */
  async start(
    options: { resume?: RunSummary; onEvent?: (event: RunEvent) => void } = {},
  ): Promise<Outcome<RunResult>> {
    const { resume, onEvent } = options;
    if (resume) this.setJob(resume.job);
    const request = this.request();
    if ('code' in request) {
      this.#problem = request;
      return failed(request);
    }
    if (this.run.busy)
      return failed({ code: 'busy', message: 'A run is going on.', cure: 'Pause or stop it first.' });
    if (!(await this.#tab.take())) return failed(this.#refuseSecondTab());

    const before = this.#screen;
    this.#opened = null;
    this.run.begin(request.job, resume !== undefined, resume?.step);
    this.#wake.held = true;
    this.#quarter = 0;
    this.#screen = 'train';
    this.#say(resume ? `Training continues from step ${resume.step}.` : 'Training starts.');
    try {
      if (!this.#preparation) {
        const prepared = await this.prepare(false, ({ what, done, total }) => {
          const phase = what === 'fetching' ? what : 'preparing';
          const event = { kind: 'phase', phase, done, total } as const;
          this.run.accept(event);
          this.log.accept(event);
        });
        const stop = prepared.ok
          ? prepared.value.problems.find(({ severity }) => severity === 'error')
          : prepared.problem;
        if (stop?.code === 'cancelled') return this.#withdraw(stop, before);
        if (stop) return this.#failRun(stop);
      }
      this.run.running(this.#preparation);
      const outcome = await this.trainer.start(
        request,
        (event) => {
          if (event.kind === 'checkpoint' && this.run.checkpoint === null) void askToPersist();
          this.run.accept(event);
          this.log.accept(event);
          this.#report(event);
          // A runtime that had to be started anew has one thread.
          if (event.kind === 'warning') void this.#askDevice();
          onEvent?.(event);
        },
        resume?.id,
      );
      return outcome.ok ? this.#endRun(request.job, outcome.value) : this.#failRun(outcome.problem);
    } finally {
      this.#wake.held = false;
      this.#tab.free();
    }
  }

  /** Asks again what is saved, after a run ended in whatever way. */
  async refreshUnfinished(): Promise<void> {
    const last = await this.trainer.lastRun().catch(() => null);
    this.#unfinished = last && !last.finished ? last : null;
  }

  async discard(id: string): Promise<void> {
    await this.trainer.discard(id).catch(() => undefined);
    this.#unfinished = null;
  }

  async pause(): Promise<void> {
    this.run.ending('pausing');
    await this.trainer.pause();
  }
  async stop(): Promise<void> {
    this.run.ending('stopping');
    await this.trainer.stop();
  }

  #endRun(job: Job, result: RunResult): Outcome<RunResult> {
    this.run.end(result);
    if (this.isDemo && this.run.secondsPerStep)
      remember(result.backend.kind, this.run.secondsPerStep, job.train.batch * job.train.accumulate);
    if (result.outcome === 'paused') {
      this.#say(`Paused at step ${result.step}. It is saved.`);
      void this.refreshUnfinished();
    } else {
      this.#say(
        result.outcome === 'finished' ? 'Training finished.' : `Stopped at step ${result.step}, and kept.`,
      );
      this.#unfinished = null;
      if (drawsPrompts(taskOf(job))) this.comparison.open(job.sample, this.run.rows, result.step);
      this.#screen = 'result';
    }
    return { ok: true, value: result };
  }

  /** Cancelled before it began: back to where it was asked for. */
  #withdraw(problem: Problem, screen: Screen): Outcome<RunResult> {
    this.run.withdraw();
    this.#problem = null;
    this.#screen = screen;
    this.#say('Cancelled. What was loaded so far is kept.');
    return failed(problem);
  }

  #failRun(problem: Problem): Outcome<RunResult> {
    this.run.fail(problem);
    this.log.note(`failed: ${problem.message}`);
    // What happened is an alert of its own on the screen.
    this.#say('Training stopped.');
    void this.refreshUnfinished();
    return failed(problem);
  }

  #refuseSecondTab(): Problem {
    const problem: Problem = {
      code: 'another-tab',
      message: 'Rotune is training in another tab.',
      safe: 'That run goes on undisturbed.',
      cure: 'Pause or finish it there, then start here.',
    };
    this.#problem = problem;
    return problem;
  }

  #report(event: RunEvent): void {
    if (event.kind !== 'steps') return;
    this.#tab.tell({ step: this.run.step, total: this.run.total });
    const quarter = Math.floor(this.run.progress * 4);
    if (quarter > this.#quarter && quarter < 4)
      this.#say(`Step ${this.run.step} of ${this.run.total}: ${percent(quarter / 4)} done.`);
    this.#quarter = quarter;
  }

  #say(text: string): void {
    this.#announcement = text;
    this.log.note(text);
  }
}
