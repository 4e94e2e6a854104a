/** @file The job that is being made: its settings, the files picked for it, and what the worker makes of both. */
import { jobFromTable, rebased } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Layer, Plan } from '#src/oft/types.ts';
import type { TaskInfo } from '#src/tasks/info.ts';
import type {
  JobRequest,
  Outcome,
  Preparation,
  PrepareProgress,
  Problem,
  Source,
} from '#workers/protocol.ts';
import type { EventLog } from '../page/eventLog.ts';
import type { Device } from '../run/device.svelte.ts';
import type { Trainer } from '../worker/client.ts';
import { failed } from '../worker/problems.ts';
import { awaitsData, NOTHING, requestOf, type Picked } from '../worker/request.ts';
import { taskOf } from '../words/taskWords.ts';
import { Making } from './making.svelte.ts';
import { addPasted, type Pasted } from './pasted.ts';
import { emptied, jobWith, jobWithoutData, judgedByShare, withPicked } from './picking.ts';

/** What a draft needs of the page. */
export interface DraftHost {
  readonly trainer: Pick<Trainer, 'prepare' | 'cancelPreparation'>;
  readonly device: Device;
  readonly log: EventLog;
}

export class Draft {
  readonly defaultJob: Job;
  /** Data made on the page. */
  readonly making: Making = new Making(this);
  readonly #host: DraftHost;
  #job = $state.raw<Job>() as Job;
  #picked = $state.raw<Picked>(NOTHING);
  #preparation = $state.raw<Preparation | null>(null);
  #seen = $state.raw<Preparation | null>(null);
  #preparing = $state<'no' | 'reading' | 'timing'>('no');
  #progress = $state.raw<PrepareProgress | null>(null);
  #problem = $state.raw<Problem | null>(null);
  #layers = $state.raw<readonly Layer[] | null>(null);
  #prepareCount = 0;

  constructor(host: DraftHost, defaultJob: Job) {
    this.#host = host;
    this.defaultJob = defaultJob;
    this.#job = defaultJob;
  }

  get job(): Job {
    return this.#job;
  }
  get picked() {
    return this.#picked;
  }
  /** The user's own data. */
  get train(): Source | null {
    return this.#picked.train;
  }
  /** The user's own data to judge by. */
  get heldout(): Source | null {
    return this.#picked.heldout;
  }
  /** The task of the present job. */
  get task(): TaskInfo {
    return taskOf(this.#job);
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
  /** Why the last preparation failed as a whole, or a start was refused. */
  get problem() {
    return this.#problem;
  }
  /** Layers of the present model that can be adapted; null until the worker has read it. They outlive edits of the plan. */
  get layers(): readonly Layer[] | null {
    return this.#layers;
  }
  /** The present job is the built-in demo, whose cost is known. */
  get isDemo() {
    return this.#picked === NOTHING && this.#job.model === this.defaultJob.model;
  }

  /** No data were chosen yet for the present job. */
  get awaitsData(): boolean {
    return awaitsData(this.#job, this.#picked);
  }

  /** Another job, or another version of it; what the worker said of the old one no longer holds. */
  setJob(job: Job): void {
    if (job.model !== this.#job.model) this.#layers = null;
    const { task, model, data } = this.#job;
    const same = job.task === task && job.model === model && job.data.train === data.train;
    this.#seen = same ? this.seen : null;
    this.#job = job;
    this.forgetPreparation();
  }

  /** What the worker said no longer holds. */
  forgetPreparation(): void {
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

  /** What is picked stands in for what the job names, under the name that the job has for it. */
  standIn(part: keyof Picked, source: Source): void {
    const job = this.#job;
    this.pick({ [part]: source });
    this.setJob(job);
  }

  /** Adds what was pasted to the data, and gives how many files they are now; 0: there was nothing in it. */
  paste(things: readonly Pasted[]): number {
    if (this.making.paste(things)) return things.length;
    const train = addPasted(this.#picked.train, things);
    if (!train) return 0;
    this.pick({ train });
    return train.files.length;
  }

  /** The data of the task's example, whatever the model. */
  pickExample(): void {
    const { train, heldout } = this.#exampleOf(this.#job.task).data;
    this.#picked = { ...this.#picked, train: null, heldout: null };
    this.setJob({ ...this.#job, data: { ...this.#job.data, train, heldout } });
  }

  /** Held-out data of their own are dropped: a share of the data is held out instead. */
  judgeByShare(): void {
    this.#picked = { ...this.#picked, heldout: null };
    this.#problem = null;
    this.setJob(judgedByShare(this.#job));
  }

  /** Another job with built-in files or none picked yet; the built-in one if none is given. */
  reset(job: Job = this.defaultJob): void {
    if (this.#picked.model) this.#layers = null;
    this.#picked = NOTHING;
    this.#problem = null;
    this.setJob(job);
  }

  /** A run's job with the files that are at hand of it; what is picked already under the same names stays. */
  adopt(job: Job, files: Partial<Picked>): void {
    const named = {
      model: job.model,
      train: job.data.train,
      heldout: job.data.heldout,
      adapter: job.adapter,
    };
    const before = this.#picked;
    const still = (part: keyof Picked): Source | null => {
      const source = before[part];
      return source?.kind === 'files' && source.name === named[part] ? source : null;
    };
    this.reset(job);
    this.#picked = {
      model: files.model ?? still('model'),
      train: files.train ?? still('train'),
      heldout: files.heldout ?? still('heldout'),
      adapter: files.adapter ?? still('adapter'),
    };
    if (Object.values(this.#picked).every((source) => source === null)) this.#picked = NOTHING;
  }

  /** A job for a model of one's own, with no data chosen yet. */
  begin(task: string, model: Source): void {
    this.reset(jobWithoutData(task, model));
    this.#layers = null;
    this.#picked = { ...NOTHING, model };
  }

  #exampleOf(task: string): Job {
    return task === this.defaultJob.task ? this.defaultJob : jobFromTable({ task });
  }

  /** A task's built-in example, with its own model and data. */
  openExample(task: string): void {
    this.reset(this.#exampleOf(task));
  }

  /** A job for data of one's own on the model of a task's example, with none chosen yet. */
  beginOwn(task: string): void {
    this.reset(emptied(this.#exampleOf(task)));
  }

  /** Another task for what was picked; without own files, its example. */
  chooseTask(task: string): void {
    if (!this.#picked.model && !this.#picked.train) this.openExample(task);
    else this.setJob(withPicked(this.#exampleOf(task), this.#job, this.#picked));
  }

  request(job: Job = this.#job): JobRequest | Problem {
    return requestOf(job, this.#picked, this.#host.device.preference);
  }

  /** The request, or a problem that is shown. */
  ask(): Outcome<JobRequest> {
    this.making.settle();
    const request = this.request();
    return 'code' in request ? this.refuse(request) : { ok: true, value: request };
  }

  /** Shows why what was asked for cannot be done. */
  refuse(problem: Problem): { readonly ok: false; readonly problem: Problem } {
    this.#problem = problem;
    return { ok: false, problem };
  }

  /** What was refused is mended, or no longer asked for. */
  forgive(): void {
    this.#problem = null;
  }

  /** Loads model and data, plans the layers, lists all problems; with `probe`, times a few steps. */
  async prepare(
    probe: boolean,
    hear: (progress: PrepareProgress) => void = () => undefined,
  ): Promise<Outcome<Preparation>> {
    // That data are still to come is no fault.
    const request = this.request();
    if ('code' in request && this.awaitsData) return failed(request);
    const asked = this.ask();
    if (!asked.ok) return failed(asked.problem);
    const turn = ++this.#prepareCount;
    this.#preparing = probe ? 'timing' : 'reading';
    this.#problem = null;
    this.#progress = null;
    const outcome = await this.#host.trainer.prepare(asked.value, probe, (progress) => {
      if (turn !== this.#prepareCount) return;
      this.#progress = progress;
      hear(progress);
    });
    // A newer question overtook this one: its answer is the one to show.
    if (turn !== this.#prepareCount) return outcome;
    this.#preparing = 'no';
    this.#progress = null;
    if (outcome.ok) {
      this.#host.device.saw(outcome.value.backend);
      this.#preparation = outcome.value;
      this.#layers = outcome.value.layers;
    } else {
      this.#problem = outcome.problem;
      this.#host.log.note(`not made ready: ${outcome.problem.message}`);
      this.#seen = null;
    }
    return outcome;
  }

  cancelPreparation(): Promise<void> {
    return this.#host.trainer.cancelPreparation();
  }
}
