/** @file What a run has shown so far: phase, losses, the wall of samples, angles, warnings. Fed by the worker's events only. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import type {
  Evaluation,
  Preparation,
  Problem,
  RunEvent,
  RateChange,
  RunResult,
  SavedRun,
  Unsaveable,
  StoredCheckpoint,
} from '#workers/protocol.ts';
import { withChange } from '#src/optim/rates.ts';
import { withEvaluation } from '#src/training/evaluations.ts';
import { StepLog } from '#src/training/steps.ts';
import { type SampleRow, withRow } from './rows.ts';
export type { SampleRow } from './rows.ts';
import { TimeLeft } from './timeLeft.ts';

const noSteps = new StepLog().columns();
/** Warnings that are shown of a run. */
const WARNINGS = 50;

export type RunStatus =
  'idle' | 'preparing' | 'running' | 'pausing' | 'stopping' | 'paused' | 'done' | 'failed';

export interface Phase {
  readonly name:
    'fetching' | 'loading' | 'preparing' | 'compiling' | 'sampling' | 'training' | 'evaluating' | 'saving';
  readonly done: number | null;
  readonly total: number | null;
}

export interface Angles {
  readonly mean: readonly number[];
  readonly largest: readonly number[];
}

export class RunState {
  #id = $state('');
  #status = $state<RunStatus>('idle');
  #job = $state.raw<Job | null>(null);
  #phase = $state.raw<Phase | null>(null);
  /** The log grows in place: a new box around it tells of that. */
  #records = $state.raw({ log: new StepLog() });
  #rows = $state.raw<readonly SampleRow[]>([]);
  #evaluations = $state.raw<readonly Evaluation[]>([]);
  #planned = $state.raw<readonly PlannedLayer[]>([]);
  #whole = $state.raw<readonly string[]>([]);
  #unsaveable = $state.raw<readonly Unsaveable[]>([]);
  #angles = $state.raw<Angles | null>(null);
  #checkpoint = $state.raw<StoredCheckpoint | null>(null);
  #unsaved = $state.raw<Problem | null>(null);
  #warnings = $state.raw<readonly Problem[]>([]);
  #rates = $state.raw<readonly RateChange[]>([]);
  #problem = $state.raw<Problem | null>(null);
  #result = $state.raw<RunResult | null>(null);
  #secondsLeft = $state<number | null>(null);
  #startStep = $state(0);
  #timeLeft: TimeLeft | null = null;

  /** Updates made; records count from 0. */
  readonly #step = $derived.by(() => {
    const last = this.records.at(-1);
    return last ? last.step + 1 : this.#startStep;
  });
  readonly #told = $derived(this.newClasses ? this.#rows.filter(({ step }) => step > 0) : this.#rows);
  readonly #total = $derived(this.#job?.train.steps ?? 0);
  readonly #secondsPerStep = $derived.by(() => {
    const recent = this.records.column('ms').slice(-20).sort();
    return recent.length === 0 ? null : (recent[recent.length >> 1] ?? 0) / 1000;
  });

  /** Names it among saved runs and in addresses; '' before the first. */
  get id(): string {
    return this.#id;
  }
  get status(): RunStatus {
    return this.#status;
  }
  get job(): Job | null {
    return this.#job;
  }
  get phase(): Phase | null {
    return this.#phase;
  }
  /** The same log grows while a run goes on: whoever reads it here is told of each addition. */
  get records(): StepLog {
    return this.#records.log;
  }
  /** By step, the untouched model's row (step 0) first. */
  get rows(): readonly SampleRow[] {
    return this.#rows;
  }
  get evaluations(): readonly Evaluation[] {
    return this.#evaluations;
  }
  /** The layers of this run, whatever the plan has become since. */
  get planned(): readonly PlannedLayer[] {
    return this.#planned;
  }
  /** Names of constants that are trained as a whole: a new last layer. */
  get whole(): readonly string[] {
    return this.#whole;
  }
  /** Paused or failed: it may go on, or end with what was saved. */
  get standsStill(): boolean {
    return this.#status === 'paused' || this.#status === 'failed';
  }
  /** The last layer is new: the untouched model does not know the classes, so that there is no before to compare with. */
  get newClasses(): boolean {
    return this.#whole.length > 0;
  }
  /** The rows that say something: of new classes what an untrained last layer guesses is none. */
  get told(): readonly SampleRow[] {
    return this.#told;
  }
  /** Kinds of file that this model's adapter cannot be saved as, though its plan could. */
  get unsaveable(): readonly Unsaveable[] {
    return this.#unsaveable;
  }
  get angles(): Angles | null {
    return this.#angles;
  }
  get checkpoint() {
    return this.#checkpoint;
  }
  /** Why the last attempt to save it failed; null: it did not. */
  get unsaved(): Problem | null {
    return this.#unsaved;
  }
  /** It stands still, and what it learned last is nowhere but in this tab. */
  get onlyHere(): boolean {
    const ended = this.#status === 'paused' || this.#status === 'done';
    return ended && this.#unsaved !== null;
  }
  get warnings(): readonly Problem[] {
    return this.#warnings;
  }
  /** Changes of the learning rate, by step. */
  get rates(): readonly RateChange[] {
    return this.#rates;
  }
  get problem(): Problem | null {
    return this.#problem;
  }
  /** Its history is empty: `records` has it, and once is enough. */
  get result(): RunResult | null {
    return this.#result;
  }
  get step(): number {
    return this.#step;
  }
  get total(): number {
    return this.#total;
  }
  /** 0 to 1. */
  get progress(): number {
    return this.#total > 0 ? Math.min(1, this.#step / this.#total) : 0;
  }
  get secondsLeft(): number | null {
    return this.#secondsLeft;
  }
  /** Median of the last 20 steps; null before the first. */
  get secondsPerStep(): number | null {
    return this.#secondsPerStep;
  }
  /** A worker is at it: nothing else may start, and no reload may be forced. */
  get busy(): boolean {
    return ['preparing', 'running', 'pausing', 'stopping'].includes(this.#status);
  }

  /** Stopped, it draws and judges once more what it has learned: what a second stop leaves out. */
  get closing(): boolean {
    const doing = this.#phase?.name;
    return this.#status === 'stopping' && (doing === 'sampling' || doing === 'evaluating');
  }

  /** A new run, or with `from` a saved one from its checkpoint: what the page already shows of it stays. */
  begin(job: Job, id: string, from?: { readonly step: number }): void {
    const continues = from !== undefined && id === this.#id;
    const startStep = from?.step ?? 0;
    this.#id = id;
    this.#status = 'preparing';
    this.#job = job;
    this.#phase = null;
    this.#problem = null;
    this.#result = null;
    this.#secondsLeft = null;
    this.#startStep = startStep;
    this.#timeLeft = new TimeLeft(job.train.steps, job.sample.every, startStep);
    if (continues) {
      this.#records = { log: this.records.before(startStep) };
      this.#rows = this.#rows.filter((row) => row.step <= startStep);
      this.#evaluations = this.#evaluations.filter((evaluation) => evaluation.step <= startStep);
      return;
    }
    this.#records = { log: new StepLog() };
    this.#rows = [];
    this.#evaluations = [];
    this.#angles = null;
    this.#checkpoint = null;
    this.#unsaved = null;
    this.#warnings = [];
    this.#rates = [];
  }

  /** `planned`: the layers that this run turns, in the order of its angles; `whole`: what it trains as a whole. */
  running(made: Partial<Pick<Preparation, 'planned' | 'whole' | 'unsaveable'>> | null = null): void {
    this.#planned = made?.planned ?? [];
    this.#whole = made?.whole ?? [];
    this.#unsaveable = made?.unsaveable ?? [];
    if (this.#status === 'preparing') this.#status = 'running';
  }
  ending(how: 'pausing' | 'stopping'): void {
    if (this.busy) this.#status = how;
  }

  accept(event: RunEvent): void {
    const now = performance.now();
    this.#timeLeft?.note(event, now);
    this.#secondsLeft = this.#timeLeft?.seconds(now) ?? null;
    switch (event.kind) {
      case 'phase':
        this.#phase = { name: event.phase, done: event.done ?? null, total: event.total ?? null };
        break;
      case 'steps':
        for (const record of event.records) this.records.push(record);
        this.#records = { log: this.records };
        break;
      case 'samples':
        this.#rows = withRow(this.#rows, event);
        break;
      case 'evaluation':
        this.#evaluations = withEvaluation(this.#evaluations, event.evaluation);
        break;
      case 'checkpoint':
        this.stored({ step: event.step, bytes: event.bytes, at: Date.now() });
        break;
      case 'unsaved':
        this.#unsaved = event.problem;
        break;
      case 'angles':
        this.#angles = { mean: event.mean, largest: event.largest };
        break;
      case 'rate':
        this.#rates = withChange(this.#rates, { step: event.step, factor: event.factor });
        break;
      case 'warning':
        if (this.#warnings.length < WARNINGS) this.#warnings = [...this.#warnings, event.problem];
        break;
      case 'restored':
        this.#records = { log: new StepLog(event.history) };
        // What the page itself said of this start is not among them.
        this.#warnings = [
          ...event.warnings,
          ...this.#warnings.filter(({ message }) => !event.warnings.some((w) => w.message === message)),
        ];
        this.#angles = event.angles ?? this.#angles;
        this.#rates = event.rates;
        this.#checkpoint = event.stored;
        break;
    }
  }

  /** It is saved as it was then. */
  stored(checkpoint: StoredCheckpoint): void {
    this.#checkpoint = checkpoint;
    this.#unsaved = null;
  }

  end(result: RunResult): void {
    this.#status = result.outcome === 'paused' ? 'paused' : 'done';
    this.#id = result.id;
    this.#result = { ...result, history: noSteps };
    this.#phase = null;
    this.#secondsLeft = null;
    // A run that was resumed after a reload brings the steps of its earlier life along.
    if (result.history.step.length > this.records.length)
      this.#records = { log: new StepLog(result.history) };
    if (result.evaluations.length > this.#evaluations.length) this.#evaluations = result.evaluations;
  }

  /** A saved run as it was: its curve, wall and figures. It stands still until it goes on. */
  restore({ summary, result, ...saved }: SavedRun): void {
    this.begin(summary.job, summary.id);
    this.#status = summary.finished ? 'done' : summary.state === 'failed' ? 'failed' : 'paused';
    this.#startStep = summary.step;
    this.#records = { log: new StepLog(saved.history) };
    this.#rows = byStep(saved.samples);
    this.#evaluations = byStep(saved.evaluations);
    this.#planned = saved.planned;
    this.#whole = saved.whole;
    this.#unsaveable = saved.unsaveable;
    this.#angles = saved.angles;
    this.#warnings = saved.warnings;
    this.#rates = summary.rates;
    this.#unsaved = null;
    this.#checkpoint = { step: summary.step, bytes: summary.bytes, at: summary.savedAt };
    this.#problem = summary.state === 'failed' ? summary.problem : null;
    this.#result = result && { ...result, history: noSteps };
  }

  /** Given up before it began. */
  withdraw(): void {
    this.#status = 'idle';
    this.#phase = null;
    this.#secondsLeft = null;
  }

  fail(problem: Problem): void {
    this.#status = 'failed';
    this.#problem = problem;
    this.#phase = null;
    this.#secondsLeft = null;
  }
}

function byStep<T extends { readonly step: number }>(list: readonly T[]): readonly T[] {
  return list.toSorted((a, b) => a.step - b.step);
}
