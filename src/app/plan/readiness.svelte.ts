/** @file Whether the job can start, and what stands in its way: the plan's problems as they are this moment, and what the worker found. */
import { unsaveableWords } from '../result/destinations.ts';
import { estimateSeconds } from '../run/estimate.ts';
import { duration, plural, roughly } from '../words/format.ts';
import type { Device } from '../run/device.svelte.ts';
import type { Draft } from '../data/draft.svelte.ts';
import type { Remark } from '#workers/protocol.ts';
import { remarkOn } from '../data/remarks.ts';
import type { PlanEditor } from './planEditor.svelte.ts';
import { noDataWords } from '../words/taskWords.ts';

export type { Remark };

/** What is looked at. */
export interface ReadinessHost {
  readonly draft: Draft;
  readonly device: Device;
  readonly editor: Pick<PlanEditor, 'problems' | 'trainable'>;
  /** A run is going on. */
  readonly busy: () => boolean;
}

export class Readiness {
  readonly #host: ReadinessHost;

  /** The plan's, as they are this moment. */
  readonly #ofPlan = $derived.by((): readonly Remark[] =>
    this.#host.editor.problems.map((problem) => ({ code: 'bad-job' as const, ...problem })),
  );
  /** What else the worker found. */
  readonly #found = $derived.by((): readonly Remark[] => {
    const { draft } = this.#host;
    const known = new Set(this.#ofPlan.map(({ message }) => message));
    const unsaveable = (draft.preparation?.unsaveable ?? []).map((each) => ({
      severity: 'warning' as const,
      code: 'unsupported' as const,
      message: unsaveableWords(each),
    }));
    const found = draft.preparation?.problems.filter(({ message }) => !known.has(message)) ?? [];
    const { active, collection } = draft.making;
    return [...found.map((remark) => remarkOn(active ? collection : null, remark)), ...unsaveable];
  });

  constructor(host: ReadinessHost) {
    this.#host = host;
  }

  get errors(): readonly Remark[] {
    return [...this.#ofPlan, ...this.#found].filter(({ severity }) => severity === 'error');
  }
  /** Of data and model. */
  get warnings(): readonly Remark[] {
    return this.#found.filter(({ severity }) => severity === 'warning');
  }
  /** Of the plan: whoever made no plan need not know of them. */
  get planWarnings(): readonly Remark[] {
    return this.#ofPlan.filter(({ severity }) => severity === 'warning');
  }
  /** The last preparation was cancelled. That is no fault: the user asked for it. */
  get cancelled(): boolean {
    return this.#host.draft.problem?.code === 'cancelled';
  }
  /** It can start now; the time need not be known. */
  get ready(): boolean {
    const { draft, editor, busy } = this.#host;
    return (
      draft.preparation !== null &&
      editor.trainable &&
      this.errors.length === 0 &&
      draft.preparing !== 'reading' &&
      !busy()
    );
  }
  /** Whether a few steps can be timed, and have not been. */
  get untimed(): boolean {
    const { preparation, preparing, problem } = this.#host.draft;
    return (
      this.ready &&
      preparing === 'no' &&
      problem === null &&
      preparation?.secondsPerStep === null &&
      preparation.fit?.kind !== 'will-not-fit'
    );
  }
  /** "3 min"; null: not known yet. */
  get time(): string | null {
    const { draft, device } = this.#host;
    const { preparation, job } = draft;
    if (preparation?.secondsPerStep != null) return duration(preparation.secondsPerStep * job.train.steps);
    if (!draft.isDemo || !device.backend) return null;
    const seconds = estimateSeconds(job, device.backend);
    return seconds === null ? null : roughly(seconds);
  }
  /** Where it stands, in one line; '' while nobody has looked. */
  get words(): string {
    const { draft, busy } = this.#host;
    if (this.errors.length > 0) return `${plural(this.errors.length, 'thing')} to mend before it can start`;
    if (draft.preparing === 'reading') return 'Reading the model and the data …';
    if (draft.awaitsData) return noDataWords(draft.task);
    if (this.cancelled) return 'Not prepared yet';
    if (draft.problem) return 'This cannot start yet';
    if (busy()) return 'Another run is going on';
    const { preparation } = draft;
    if (!preparation) return '';
    if (preparation.fit?.kind === 'will-not-fit') return 'It will not fit this device';
    return this.warnings.length > 0 ? `Ready, with ${plural(this.warnings.length, 'remark')}` : 'Ready';
  }
}
