/** @file What is written down of a run beside its checkpoints: that it began, what it has shown, and how it ended. */
import type { RunHeader, RunLife, WrittenHeader } from '#src/store/runHeader.ts';
import type {
  Angles,
  Evaluation,
  JobRequest,
  Problem,
  RateChange,
  RunEvent,
  RunResult,
  Samples,
  StoredCheckpoint,
} from '../../protocol.ts';
import { Growing } from '#src/platform/growing.ts';
import type { StepColumns } from '#src/training/steps.ts';
import { withChange } from '#src/optim/rates.ts';
import { withEvaluation } from '#src/training/evaluations.ts';
import { sourceName } from '../files/sources.ts';
import type { Runs, Saved } from '../saved.ts';
import { glance, heldoutOf, measureOf, sparkline } from './summary.ts';

/** Warnings that are kept of a run. */
const WARNINGS = 50;

/** A saved run that goes on. */
export interface Earlier {
  readonly header: RunHeader | null;
  readonly saved: Saved;
}

export class Journal {
  readonly id: string;
  readonly #runs: Runs;
  readonly #request: JobRequest;
  readonly #earlier: Earlier | null;
  readonly #startedAt: number;
  /** The record says that it is running. */
  #open = false;
  /** Updates in the newest checkpoint. */
  #step: number;
  #savedAt: number;
  #checkpoint: StoredCheckpoint | null;
  /** Of all steps up to the newest. */
  readonly #losses: Growing;
  #newest: number;
  #evaluations: readonly Evaluation[];
  #row: Pick<Samples, 'pictures' | 'texts'> | null;
  #rowStep: number;
  #angles: Angles | null;
  #warnings: readonly Problem[];
  #rates: readonly RateChange[];

  /** @param earlier null: a new run */
  constructor(id: string, runs: Runs, request: JobRequest, earlier: Earlier | null) {
    this.id = id;
    this.#runs = runs;
    this.#request = request;
    this.#earlier = earlier;
    const { header = null, saved = null } = earlier ?? {};
    const now = Date.now();
    this.#startedAt = header?.startedAt ?? now;
    this.#savedAt = header?.savedAt ?? now;
    this.#step = saved?.checkpoint.step ?? 0;
    this.#checkpoint = saved && { step: this.#step, bytes: header?.bytes ?? 0, at: this.#savedAt };
    const history = saved?.checkpoint.history;
    this.#losses = new Growing(history?.loss);
    this.#newest = history?.step.at(-1) ?? -1;
    this.#evaluations = saved?.checkpoint.evaluations ?? [];
    this.#row = saved?.samples.at(-1) ?? null;
    this.#rowStep = saved?.samples.at(-1)?.step ?? 0;
    this.#angles = saved?.shown?.angles ?? null;
    this.#warnings = saved?.shown?.warnings ?? [];
    // The record knows those, too, that came after the newest checkpoint: the run was cut off before the next.
    const [noted, kept] = [header?.rates ?? [], saved?.checkpoint.rates ?? []];
    this.#rates = noted.length >= kept.length ? noted : kept;
  }

  /** As of the last time they were computed. */
  get angles(): Angles | null {
    return this.#angles;
  }
  /** All that was said in this life of the run and the earlier ones. */
  get warnings(): readonly Problem[] {
    return this.#warnings;
  }
  /** Changes of the learning rate, by step. */
  get rates(): readonly RateChange[] {
    return this.#rates;
  }
  /** The newest that was stored; null: none was. */
  get checkpoint(): StoredCheckpoint | null {
    return this.#checkpoint;
  }

  /** Takes note of what the page is told. */
  hear(event: RunEvent): void {
    if (event.kind === 'steps') for (const { step, loss } of event.records) this.#noteLoss(step, loss);
    else if (event.kind === 'samples') this.#noteRow(event);
    else if (event.kind === 'evaluation')
      this.#evaluations = withEvaluation(this.#evaluations, event.evaluation);
    else if (event.kind === 'angles')
      this.#angles = { step: event.step, mean: event.mean, largest: event.largest };
    else if (event.kind === 'warning') this.#warn(event.problem);
    else if (event.kind === 'rate')
      this.#rates = withChange(this.#rates, { step: event.step, factor: event.factor });
  }

  /** The row of the beginning may come after the first step's. */
  #noteRow(row: Extract<RunEvent, { kind: 'samples' }>): void {
    if (row.step < this.#rowStep) return;
    this.#row = row;
    this.#rowStep = row.step;
  }

  /** Writes down what was heard of a run that goes on, so that a cut does not lose it. */
  noteNow(): Promise<void> {
    return this.#note('running', null);
  }

  /** The header of a checkpoint that is going to be saved, with so many updates and all records of them. */
  header(step: number, life: RunLife, history: StepColumns): WrittenHeader {
    // The newest ones come last, and few of them were not heard of yet.
    const first = history.step.findLastIndex((each) => each <= this.#newest) + 1;
    for (let i = first; i < history.step.length; i++) this.#noteLoss(history.step[i]!, history.loss[i]!);
    return { ...this.#written(life, null), step, savedAt: Date.now() };
  }

  /** That checkpoint is saved. */
  saved({ step, savedAt }: WrittenHeader, bytes: number): void {
    this.#checkpoint = { step, bytes, at: savedAt };
    this.#step = step;
    this.#savedAt = savedAt;
  }

  /** Does the work of a run, from its very beginning: it is listed from now on, or again once it goes on, and with how it ends. */
  async keep(work: () => Promise<RunResult>, problemOf: (error: unknown) => Problem): Promise<RunResult> {
    if (!this.#earlier) await this.begin();
    let result: RunResult;
    try {
      result = await work();
    } catch (error) {
      await this.#failed(problemOf(error));
      throw error;
    }
    // Other ends come with the checkpoint that they save.
    if (result.outcome === 'paused') await this.#note('paused', null);
    return result;
  }

  /** It runs. A saved one that cannot go on here stays what it was, if this was not said. */
  async begin(): Promise<void> {
    this.#open = true;
    await this.#note('running', null);
  }

  async #failed(problem: Problem): Promise<void> {
    if (!this.#open) return;
    const nothing = !this.#earlier && problem.code === 'cancelled' && this.#step === 0;
    if (nothing) await this.#runs.remove(this.id).catch(() => undefined);
    else await this.#note('failed', problem);
  }

  #noteLoss(step: number, loss: number): void {
    if (step <= this.#newest) return;
    this.#newest = step;
    this.#losses.push(loss);
  }

  #warn(problem: Problem): void {
    const said = this.#warnings.some(
      ({ code, message }) => code === problem.code && message === problem.message,
    );
    if (!said && this.#warnings.length < WARNINGS) this.#warnings = [...this.#warnings, problem];
  }

  /** Where nothing can be stored the run goes on all the same: its first checkpoint says so. */
  #note(life: RunLife, problem: Problem | null): Promise<void> {
    return this.#runs.note(this.#written(life, problem)).catch(() => undefined);
  }

  #written(state: RunLife, problem: Problem | null): WrittenHeader {
    const { job, model, train, heldout } = this.#request;
    const own = [model, train, ...(heldout ? [heldout] : [])];
    return {
      id: this.id,
      job,
      step: this.#step,
      savedAt: this.#savedAt,
      finished: state === 'finished' || state === 'stopped',
      modelName: sourceName(model),
      dataName: sourceName(train),
      selfContained: own.every(({ kind }) => kind === 'builtin'),
      state,
      startedAt: this.#startedAt,
      total: job.train.steps,
      ...glance(this.#row ?? { pictures: [] }),
      measure: measureOf(this.#evaluations),
      heldout: heldoutOf(this.#evaluations),
      problem,
      losses: sparkline(this.#losses.view()),
      rates: this.#rates,
    };
  }
}
