/** @file Training the job at hand: from the button to the end, a stop or a pause, with the screen kept on and other tabs told. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { randomId } from '#src/platform/id.ts';
import { askToPersist } from '#src/store/persistence.ts';
import type {
  Difference,
  JobRequest,
  Outcome,
  Problem,
  RateChange,
  RunEvent,
  RunResult,
  RunSummary,
  SavedRun,
} from '#workers/protocol.ts';
import type { Draft } from '../data/draft.svelte.ts';
import type { EventLog } from '../page/eventLog.ts';
import { TabGuard, WakeLock, type OtherTab } from '../page/tab.ts';
import type { Voice } from '../page/voice.svelte.ts';
import { percent } from '../words/format.ts';
import type { Trainer } from '../worker/client.ts';
import { failed } from '../worker/problems.ts';
import { Away } from './away.svelte.ts';
import type { Device } from './device.svelte.ts';
import { remember } from './estimate.ts';
import { RunState } from './run.svelte.ts';

export interface StartOptions {
  /** The saved run to go on with. */
  readonly resume?: RunSummary | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
}

/** A saved run that would go on otherwise than it was computed so far. */
export interface Otherwise {
  readonly run: RunSummary;
  readonly differences: readonly Difference[];
}

/** What training needs of the page. */
export interface TrainingHost {
  readonly trainer: Pick<
    Trainer,
    | 'start'
    | 'differences'
    | 'pause'
    | 'stop'
    | 'saveAgain'
    | 'changeRate'
    | 'keepRun'
    | 'branchRun'
    | 'openRun'
  >;
  readonly draft: Draft;
  readonly device: Device;
  readonly voice: Voice;
  readonly log: EventLog;
  /** A run begins: its view is shown. */
  readonly onBegin: () => void;
  /** A new run stands in the list from now on. */
  readonly onListed: () => void;
  /** It was cancelled before it began. */
  readonly onWithdraw: () => void;
  /** It ended, by itself or by a stop; not by a pause. */
  readonly onEnd: (job: Job) => void;
  /** What is saved may have changed. */
  readonly onSaved: () => void;
  /** A new run was made of an earlier checkpoint of that one, on the same files, and is at hand in its place. */
  readonly onBranch: (from: string) => Promise<void>;
}

const busy: Problem = { code: 'busy', message: 'A run is going on.', cure: 'Pause or stop it first.' };

const secondTab: Problem = {
  code: 'another-tab',
  message: 'Rotune is training in another tab.',
  safe: 'That run goes on undisturbed.',
  cure: 'Pause or finish it there, then start here.',
};

export class Training {
  readonly run = new RunState();
  readonly #host: TrainingHost;
  readonly away = new Away((problem) => this.#remark(problem));
  readonly #wake = new WakeLock();
  readonly #tab: TabGuard;
  #otherTab = $state.raw<OtherTab | null>(null);
  #unkept = $state.raw<{ readonly id: string; readonly problem: Problem } | null>(null);
  #keeping = $state(false);
  #otherwise = $state.raw<Otherwise | null>(null);
  #looking = false;
  #quarter = 0;

  constructor(host: TrainingHost) {
    this.#host = host;
    this.#tab = new TabGuard((other) => (this.#otherTab = other));
  }

  /** A run in another tab. */
  get otherTab() {
    return this.#otherTab;
  }

  /** Why the run that stands still could not be ended. */
  get unkept(): Problem | null {
    return this.#unkept?.id === this.run.id ? this.#unkept.problem : null;
  }
  /** It is being ended. */
  get keeping() {
    return this.#keeping;
  }

  /** The run that a person is asked about: whether it is to go on though its last digits will differ. */
  get otherwise() {
    return this.#otherwise;
  }

  /** Nothing else may use the device: why, in words; null: it is free. */
  refusal(): Problem | null {
    return this.run.busy ? busy : null;
  }

  /** Trains the present job to its end, a stop or a pause. */
  async start({ resume, onEvent }: StartOptions = {}): Promise<Outcome<RunResult>> {
    const { draft, voice, log, trainer, device } = this.#host;
    if (this.run.busy) return failed(busy);
    if (resume) draft.setJob(resume.job);
    const asked = draft.ask();
    if (!asked.ok) return failed(asked.problem);
    if (!(await this.#tab.take())) return failed(draft.refuse(secondTab).problem);

    const { job } = asked.value;
    this.#unkept = null;
    this.run.begin(job, resume?.id ?? randomId(), resume);
    this.#wake.held = true;
    this.away.begin();
    this.#quarter = 0;
    this.#host.onBegin();
    voice.say(resume ? `Training continues from step ${resume.step}.` : 'Training starts.');
    try {
      const stop = await this.#prepare();
      if (stop?.code === 'cancelled') return this.#withdraw(stop);
      if (stop) return this.#fail(stop);
      this.run.running(draft.preparation);
      let listed = false;
      const outcome = await trainer.start(
        asked.value,
        (event) => {
          if (event.kind === 'checkpoint' && this.run.checkpoint === null) void askToPersist();
          this.run.accept(event);
          this.away.hear(event);
          log.accept(event);
          this.#tell(event);
          // A runtime that had to be started anew has one thread.
          if (event.kind === 'warning') void device.lookAgain();
          if (!listed && !resume) this.#host.onListed();
          listed = true;
          onEvent?.(event);
        },
        resume?.id,
        this.run.id,
      );
      return outcome.ok ? this.#end(job, outcome.value) : this.#fail(outcome.problem);
    } finally {
      this.#wake.held = false;
      await this.#tab.free();
    }
  }

  /** Goes on with a saved run whose job and files are at hand; where something else computes it now, once a person has agreed to that. */
  async goOn(run: RunSummary): Promise<void> {
    if (this.#looking || this.run.busy) return;
    this.#looking = true;
    const request = this.#request();
    const found = request && (await this.#host.trainer.differences(request, run.id));
    this.#looking = false;
    // What cannot be looked at says so when it starts.
    if (found?.ok && found.value.length > 0) this.#otherwise = { run, differences: found.value };
    else await this.start({ resume: run });
  }

  /** What the person said to that. */
  async answer(agreed: boolean): Promise<void> {
    const asked = this.#otherwise;
    this.#otherwise = null;
    if (agreed && asked) await this.start({ resume: asked.run });
  }

  async pause(): Promise<void> {
    this.run.ending('pausing');
    await this.#host.trainer.pause();
  }
  async stop(): Promise<void> {
    this.run.ending('stopping');
    await this.#host.trainer.stop();
  }

  /** Saves the state that the last attempt could not. */
  async saveAgain(): Promise<void> {
    const outcome = await this.#host.trainer.saveAgain();
    if (!outcome.ok) {
      this.run.accept({ kind: 'unsaved', step: this.run.step, problem: outcome.problem });
      return;
    }
    this.run.stored(outcome.value);
    this.#host.voice.say(`Saved at step ${outcome.value.step}.`);
    this.#host.onSaved();
  }

  /** Multiplies the schedule's learning rate, from the next step on to the end. */
  async changeRate(factor: number): Promise<Outcome<RateChange>> {
    const outcome = await this.#host.trainer.changeRate(this.run.id, factor);
    if (!outcome.ok) return outcome;
    const { step } = outcome.value;
    // A run that goes on tells of it by itself.
    if (!this.run.busy) this.run.accept({ kind: 'rate', ...outcome.value });
    this.#host.voice.say(
      factor === 1
        ? `The learning rate is the schedule’s again from step ${step} on.`
        : `The learning rate is multiplied by ${factor} from step ${step} on.`,
    );
    return outcome;
  }

  /** Ends the run that stands still, paused or failed, with what it learned up to the last saved step: it can be tried and saved. */
  async keep(): Promise<Outcome<SavedRun>> {
    const { id } = this.run;
    this.#keeping = true;
    const outcome = await this.#still(async () => {
      const { trainer, voice, onEnd } = this.#host;
      const outcome = await trainer.keepRun(this.#request(), this.run.id);
      if (!outcome.ok) return outcome;
      this.run.restore(outcome.value);
      voice.say(`Stopped at step ${outcome.value.summary.step}, and kept.`);
      onEnd(outcome.value.summary.job);
      return outcome;
    });
    this.#keeping = false;
    this.#unkept = outcome.ok ? null : { id, problem: outcome.problem };
    return outcome;
  }

  /** Puts in place of the run at hand, which stays saved as it is, a new one that goes on from an earlier step. */
  goBack(step: number): Promise<Outcome<SavedRun>> {
    return this.#still(async () => {
      const { trainer, voice, onBranch } = this.#host;
      const from = this.run.id;
      const made = await trainer.branchRun(from, step);
      if (!made.ok) return made;
      const opened = await trainer.openRun(this.#request(), made.value.id);
      if (!opened.ok) return opened;
      this.run.restore(opened.value);
      voice.say(`A new run, as the other was after step ${step}. That one stays saved.`);
      await onBranch(from);
      return opened;
    });
  }

  /** Changes the saved run at hand, which trains neither here nor in another tab. */
  async #still(work: () => Promise<Outcome<SavedRun>>): Promise<Outcome<SavedRun>> {
    if (this.run.busy) return failed(busy);
    if (!(await this.#tab.take())) return failed(secondTab);
    try {
      return await work();
    } finally {
      await this.#tab.free();
      this.#host.onSaved();
    }
  }

  /** Where the model is; null: it must be picked again. */
  #request(): JobRequest | null {
    const request = this.#host.draft.request();
    return 'code' in request ? null : request;
  }

  /** Makes the job ready if it is not; what keeps it from starting, or null. */
  async #prepare(): Promise<Problem | null> {
    const { draft, log } = this.#host;
    if (draft.preparation) return null;
    const prepared = await draft.prepare(false, ({ what, done, total }) => {
      const phase = what === 'fetching' ? what : 'preparing';
      const event = { kind: 'phase', phase, done, total } as const;
      this.run.accept(event);
      log.accept(event);
    });
    if (!prepared.ok) return prepared.problem;
    // The view of a new job would show it; a run begun at once shows it by itself.
    for (const problem of prepared.value.problems) if (problem.kind === 'fetched-anew') this.#remark(problem);
    return prepared.value.problems.find(({ severity }) => severity === 'error') ?? null;
  }

  #end(job: Job, result: RunResult): Outcome<RunResult> {
    const { draft, voice, onSaved, onEnd } = this.#host;
    this.run.end(result);
    if (draft.isDemo && this.run.secondsPerStep)
      remember(result.backend.kind, this.run.secondsPerStep, job.train.batch * job.train.accumulate);
    const { outcome, step } = result;
    const words =
      outcome === 'paused'
        ? `Paused at step ${step}. ${this.run.onlyHere ? 'It could not be saved: it is in this tab alone.' : 'It is saved.'}`
        : outcome === 'finished'
          ? 'Training finished.'
          : `Stopped at step ${step}, and kept.`;
    voice.say(words);
    this.away.end(outcome === 'paused' ? 'Paused' : 'Done', words);
    onSaved();
    if (outcome !== 'paused') onEnd(job);
    return { ok: true, value: result };
  }

  #withdraw(problem: Problem): Outcome<RunResult> {
    this.run.withdraw();
    this.away.end('', 'Cancelled.');
    this.#host.draft.forgive();
    this.#host.onWithdraw();
    this.#host.voice.say('Cancelled. What was loaded so far is kept.');
    return failed(problem);
  }

  #fail(problem: Problem): Outcome<RunResult> {
    this.run.fail(problem);
    this.away.end('Stopped', `Training stopped: ${problem.message}`);
    this.#host.log.note(`failed: ${problem.message}`);
    // What happened is an alert of its own on the screen.
    this.#host.voice.say('Training stopped.');
    this.#host.onSaved();
    return failed(problem);
  }

  #remark(problem: Problem): void {
    this.run.accept({ kind: 'warning', problem });
    this.#host.log.note(problem.message);
    this.#host.voice.say(problem.message);
  }

  #tell(event: RunEvent): void {
    if (event.kind !== 'steps') return;
    const { step, total, progress } = this.run;
    this.#tab.tell({ step, total });
    const quarter = Math.floor(progress * 4);
    if (quarter > this.#quarter && quarter < 4)
      this.#host.voice.say(`Step ${step} of ${total}: ${percent(quarter / 4)} done.`);
    this.#quarter = quarter;
  }
}
