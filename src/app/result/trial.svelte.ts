/** @file An adapter file on trial: loaded on its model with no training, to be drawn with. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { AdapterReport, Outcome, Problem } from '#workers/protocol.ts';
import { type Kept, PARTS } from '#src/store/given.ts';
import type { Draft } from '../data/draft.svelte.ts';
import type { MissingFiles } from '../library/opening.svelte.ts';
import type { Trainer } from '../worker/client.ts';
import { failed } from '../worker/problems.ts';

/** What became of the file, and how to draw with it. */
export interface OpenedAdapter {
  readonly name: string;
  readonly report: AdapterReport;
  readonly sample: Job['sample'];
}

export interface TrialHost {
  readonly trainer: Pick<Trainer, 'openAdapter'>;
  readonly draft: Draft;
  /** Why the device may not be used now; null: it may. */
  readonly refusal: () => Problem | null;
  /** Keeps what is picked for a reload of the tab. */
  readonly keep: () => Promise<unknown>;
  readonly onOpen: (opened: OpenedAdapter) => void;
}

export class Trial {
  readonly #host: TrialHost;
  #opened = $state.raw<OpenedAdapter | null>(null);
  #opening = $state(false);
  #missing = $state.raw<readonly MissingFiles[]>([]);

  constructor(host: TrialHost) {
    this.#host = host;
  }

  /** The adapter on trial; null while a run's own result is shown. */
  get opened() {
    return this.#opened;
  }
  get opening() {
    return this.#opening;
  }

  /** What must be picked again before it can be tried after a reload. */
  get missing(): readonly MissingFiles[] {
    const { picked } = this.#host.draft;
    return this.#missing.filter(({ part }) => picked[part] === null);
  }

  /** The adapter that was on trial before a reload, as far as it was kept. */
  async reopen(missing: Kept['missing']): Promise<void> {
    this.#missing = PARTS.flatMap((part) => {
      const name = missing[part];
      // It is drawn with, not trained.
      return name === undefined || (part !== 'model' && part !== 'adapter') ? [] : [{ part, name }];
    });
    if (this.missing.length === 0) await this.open();
  }

  /** A run's own result is shown from now on. */
  close(): void {
    this.#opened = null;
  }

  /** Loads the picked adapter on the model, and shows what it draws. */
  async open(): Promise<Outcome<AdapterReport>> {
    const { draft, trainer, refusal, keep, onOpen } = this.#host;
    const asked = draft.ask();
    if (!asked.ok) return failed(asked.problem);
    const request = asked.value;
    const { adapter } = request;
    if (!adapter)
      return failed({
        code: 'bad-data',
        message: 'No adapter was picked.',
        cure: 'Pick its file or folder.',
      });
    const refused = refusal();
    if (refused) return failed(refused);
    this.#opening = true;
    draft.forgive();
    // Whoever sees it may load the page anew at once.
    const [outcome] = await Promise.all([
      trainer.openAdapter({ ...request, adapter }),
      keep().catch(() => undefined),
    ]);
    this.#opening = false;
    if (!outcome.ok) return draft.refuse(outcome.problem);
    this.#opened = {
      name: adapter.kind === 'files' ? adapter.name : adapter.id,
      report: outcome.value,
      sample: request.job.sample,
    };
    onOpen(this.#opened);
    return outcome;
  }
}
