/** @file A saved run as the page shows it again: its curve, wall and figures, its adapter to draw with, and the files that it was started from. */
import type { Outcome, Problem, RunSummary, SavedRun } from '#workers/protocol.ts';
import type { Part } from '#src/store/given.ts';
import type { Draft } from '../data/draft.svelte.ts';
import type { RunState } from '../run/run.svelte.ts';
import type { Trainer } from '../worker/client.ts';
import type { Library } from './library.svelte.ts';

export interface OpeningHost {
  readonly trainer: Pick<Trainer, 'openRun'>;
  readonly library: Library;
  readonly draft: Draft;
  readonly run: RunState;
}

/** A file or folder that is not kept here, by the name that people know it by. */
export interface MissingFiles {
  readonly part: Part;
  readonly name: string;
}

const NOT_HERE: Problem = {
  code: 'no-run',
  message: 'This run is not saved in this browser.',
  cure: 'Open it where it was made, or import an archive of it on the first screen.',
};

export class Opening {
  readonly #host: OpeningHost;
  #opening = $state(false);
  #problem = $state.raw<Problem | null>(null);
  #missing = $state.raw<readonly MissingFiles[]>([]);
  #turn = 0;

  constructor(host: OpeningHost) {
    this.#host = host;
  }

  get opening() {
    return this.#opening;
  }
  /** Why it cannot be opened. */
  get problem() {
    return this.#problem;
  }
  /** What must be picked again before the run can go on. */
  get missing(): readonly MissingFiles[] {
    const { picked } = this.#host.draft;
    return this.#missing.filter(({ part }) => picked[part] === null);
  }

  /** Something else is shown from now on. */
  forget(): void {
    this.#turn++;
    this.#opening = false;
    this.#problem = null;
    this.#missing = [];
  }

  /** Shows a saved run. null: it is not here, or another one was asked for meanwhile. */
  async open(id: string): Promise<SavedRun | null> {
    const turn = ++this.#turn;
    const { library, trainer, run } = this.#host;
    this.#problem = null;
    this.#opening = true;
    try {
      if (library.runs === null || library.unread) await library.refresh();
      const summary = library.find(id);
      if (turn !== this.#turn) return null;
      if (!summary) return this.#refuse(library.unread ?? NOT_HERE);
      if (summary.checkpoints === 0) return this.#refuse(lost(summary));
      await this.adopt(summary);
      const asked = this.#host.draft.request();
      const outcome: Outcome<SavedRun> = await trainer.openRun('code' in asked ? null : asked, id);
      if (turn !== this.#turn) return null;
      if (!outcome.ok) return this.#refuse(outcome.problem);
      run.restore(outcome.value);
      return outcome.value;
    } finally {
      if (turn === this.#turn) this.#opening = false;
    }
  }

  /** Makes its job the one at hand, with the files that it was started from. */
  async adopt(summary: RunSummary): Promise<void> {
    const { library, draft } = this.#host;
    const { sources, missing } = await library.filesOf(summary);
    draft.adopt(summary.job, sources);
    const named = {
      model: summary.job.model,
      train: summary.job.data.train,
      heldout: summary.job.data.heldout,
    };
    const unkept = Object.entries(named).flatMap(([part, name]) =>
      name && !name.startsWith('builtin:') && !(part in sources) ? [[part, name] as const] : [],
    );
    this.#missing = Object.entries({ ...Object.fromEntries(unkept), ...missing }).map(([part, name]) => ({
      part: part as Part,
      name,
    }));
  }

  #refuse(problem: Problem): null {
    this.#problem = problem;
    return null;
  }
}

/** A run that came to nothing before anything was saved. */
const lost = ({ problem, name }: RunSummary): Problem => ({
  code: problem?.code ?? 'no-run',
  message: `Nothing was saved of “${name}”${problem ? `: ${problem.message}` : ' before it was cut off.'}`,
  cure: 'Train again with its settings.',
  ...(problem?.detail !== undefined && { detail: problem.detail }),
});
