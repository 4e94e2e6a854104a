/** @file What a run shows of itself: rows of samples and judgements, when they are due, and the state before the first step once that is made. */
import type { TaskHost } from '#src/tasks/types.ts';
import { withEvaluation } from '#src/training/evaluations.ts';
import type { Evaluation, RunEvent } from '../../protocol.ts';
import { anglesOf } from '../adapters/adapter.ts';
import type { Bench } from '../bench.ts';
import type { Setup } from '../prepare/types.ts';
import { keptRows, type SampleRow, type Saved } from '../saved.ts';
import { evaluate, notOrthogonal } from './evaluate.ts';
import { judgesAt } from './judging.ts';
import { hasTime } from './rowTime.ts';
import type { TrainingStep } from './step.ts';
import type { Stopwatch } from './stopwatch.ts';

/** A wish to pause or stop came in the middle. */
class CutShort extends Error {}

export interface ShowingContext {
  readonly setup: Setup;
  readonly bench: Bench;
  readonly host: TaskHost;
  readonly watch: Stopwatch;
  readonly emit: (event: RunEvent) => void;
  readonly resume: Saved | null;
  readonly step: TrainingStep;
  /** Updates made. */
  readonly done: () => number;
  /** A pause or stop is wished for. */
  readonly cut: () => boolean;
}

export class Showing {
  readonly #c: ShowingContext;
  #rows: SampleRow[];
  #evaluations: readonly Evaluation[];
  /** It was said that the rotations are not orthogonal. */
  #warned = false;
  #wished = false;
  /** Rows of samples, since it began or went on. */
  #drawn = 0;
  #startCut = false;

  constructor(context: ShowingContext) {
    this.#c = context;
    const { resume, setup } = context;
    const same = JSON.stringify(resume?.checkpoint.job.sample) === JSON.stringify(setup.job.sample);
    this.#rows = same ? [...(resume?.samples ?? [])] : [];
    this.#evaluations = [...(resume?.checkpoint.evaluations ?? [])];
  }

  get rows(): readonly SampleRow[] {
    return this.#rows;
  }
  get evaluations(): readonly Evaluation[] {
    return this.#evaluations;
  }
  /** The judgement of the state before the first step was begun, and cut short. */
  get startCut(): boolean {
    return this.#startCut;
  }

  /** Tells what is known from before. */
  restore(): void {
    for (const row of this.#rows) this.#c.emit({ kind: 'samples', ...row });
    for (const evaluation of this.#evaluations) this.#c.emit({ kind: 'evaluation', evaluation });
  }

  /** A row is due between the next two steps. */
  wish(): void {
    this.#wished = true;
  }

  tellTraining(): void {
    const { steps } = this.#c.setup.job.train;
    this.#c.emit({ kind: 'phase', phase: 'training', done: this.#c.done(), total: steps });
  }

  /** What is due between two steps. */
  async between(): Promise<void> {
    await this.#unlessCut(() => this.#due());
  }

  /** The last state, and the first if it was not judged yet. false: a pause or stop came in between, and the work was left undone. */
  end(): Promise<boolean> {
    return this.#unlessCut(async () => {
      if (this.#owesStart) await this.#evaluate(true, 0);
      await this.#evaluate(true);
    });
  }

  /** The state before the first step waits for it, so that a person sees at once that the model learns. */
  get #owesStart(): boolean {
    return !this.#evaluations.some(({ step }) => step === 0);
  }

  async #due(): Promise<void> {
    const { setup, done, cut } = this.#c;
    const step = done();
    if (cut()) return;
    if (this.#owesStart) {
      this.#startCut = true;
      await this.#evaluate(true, 0);
      this.#startCut = false;
      this.tellTraining();
    }
    const { train, sample } = setup.job;
    const due = sample.every > 0 && step % sample.every === 0;
    const wished = this.#wished;
    if (!wished && (!due || this.#evaluations.some((e) => e.step === step))) return;
    this.#wished = false;
    const { heldout } = setup.prepared.counts;
    const judged = due && judgesAt(step, this.#evaluations, heldout, train.batch * train.accumulate);
    const drawn = wished || this.#hasTime();
    if (!judged && !drawn) return;
    await this.#evaluate(judged, step, drawn);
    this.tellTraining();
  }

  #hasTime(): boolean {
    const { setup, watch } = this.#c;
    const seconds = watch.seconds();
    const all = Object.values(seconds).reduce((a, b) => a + b, 0);
    return hasTime({ rows: this.#drawn, sampling: seconds['sample'] ?? 0, all }, setup.job.sample.share);
  }

  /** Samples and the held-out loss, each where asked, of the present state, or of that before the first step. */
  async #evaluate(withHeldout: boolean, at = this.#c.done(), withSamples = true): Promise<void> {
    const { setup, emit, step, done, cut } = this.#c;
    const now = at === done();
    const state = now ? await step.state() : step.start;
    if (now) emit(anglesOf(setup.layout, state.theta, at));
    const evaluation = await evaluate({
      ...this.#c,
      state,
      step: at,
      rounds: step.rounds,
      withHeldout,
      withSamples,
      show: (row) => this.#show(row),
      tell: (phase, done, total) => {
        if (cut()) throw new CutShort();
        emit({ kind: 'phase', phase, done, total });
      },
    });
    this.#evaluations = withEvaluation(this.#evaluations, evaluation);
    emit({ kind: 'evaluation', evaluation });
    const problem = evaluation.orthogonality && notOrthogonal(evaluation.orthogonality, at);
    if (problem && !this.#warned) emit({ kind: 'warning', problem });
    this.#warned ||= problem != null;
  }

  #show(row: SampleRow): void {
    this.#drawn++;
    this.#rows = keptRows([...this.#rows.filter(({ step }) => step !== row.step), row]);
    if (row.prompts.length > 0) this.#c.emit({ kind: 'samples', ...row });
  }

  async #unlessCut(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof CutShort) return false;
      throw error;
    }
  }
}
