/** @file Saved runs without a store, for the fake trainer: what began is listed, and can be opened, named, removed and put back. */
import { StepLog } from '#src/training/steps.ts';
import type {
  ExportedRuns,
  ImportedRuns,
  JobRequest,
  LibraryApi,
  Outcome,
  RateChange,
  RunSummary,
  SavedRun,
  SavedStep,
  StorageApi,
  StorageReport,
} from '#workers/protocol.ts';
import { defaultName } from '#src/store/runHeader.ts';
import { withChange } from '#src/optim/rates.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { FakeDownloads } from './fakeDownloads.ts';

const good = <T>(value: T): Outcome<T> => ({ ok: true, value });
const gone = <T>(): Outcome<T> => ({
  ok: false,
  problem: { code: 'no-run', message: 'This run is not saved here any more.', cure: 'Start it anew.' },
});

/** A summary as an older record would be filled; `over` says what is known. */
export function fakeSummary(
  over: Partial<RunSummary> & Pick<RunSummary, 'job'> & { readonly job: Job },
): RunSummary {
  const { job, step = 0, savedAt = Date.now(), dataName = 'riso' } = over;
  return {
    id: 'fake',
    step,
    savedAt,
    finished: false,
    modelName: 'emoji',
    dataName,
    selfContained: true,
    bytes: 690_000,
    name: defaultName({ job, dataName }),
    state: 'paused',
    startedAt: savedAt - 60_000,
    total: job.train.steps,
    pictures: [],
    texts: [],
    measure: null,
    heldout: null,
    problem: null,
    losses: [],
    rates: [],
    checkpoints: 1,
    ...over,
  };
}

export class FakeLibrary extends FakeDownloads implements LibraryApi, StorageApi {
  /** Old checkpoints are gone. */
  freed = false;
  readonly #saved = new Map<string, SavedRun>();
  readonly #removed = new Set<string>();

  /** Puts a run on the list, in place of what it was. */
  keep(run: Partial<SavedRun> & Pick<SavedRun, 'summary'>): void {
    const {
      history = new StepLog().columns(),
      evaluations = [],
      samples = [],
      layers = [],
      planned = [],
    } = run;
    this.#saved.set(run.summary.id, {
      ...{ history, evaluations, samples, layers, planned },
      ...{
        whole: [],
        classes: [],
        unsaveable: [],
        angles: null,
        warnings: [],
        result: null,
        fellBack: false,
      },
      ...run,
    });
  }

  async runs(): Promise<readonly RunSummary[]> {
    return [...this.#saved.values()]
      .map(({ summary }) => summary)
      .filter(({ id }) => !this.#removed.has(id))
      .sort((a, b) => b.savedAt - a.savedAt);
  }
  async openRun(_request: JobRequest | null, id: string): Promise<Outcome<SavedRun>> {
    const run = this.#saved.get(id);
    return run && run.summary.checkpoints > 0 ? good(run) : gone();
  }
  async keepRun(request: JobRequest | null, id: string): Promise<Outcome<SavedRun>> {
    this.#change(id, (run) => {
      const summary = { ...run.summary, state: 'stopped', finished: true, problem: null } as const;
      this.#saved.set(id, { ...run, summary });
    });
    return this.openRun(request, id);
  }
  /** The learning rate of a run that stands still. */
  changeSaved(id: string, factor: number): Outcome<RateChange> {
    const run = this.#saved.get(id);
    if (!run) return gone();
    const change = { step: run.summary.step, factor };
    this.keep({ ...run, summary: { ...run.summary, rates: withChange(run.summary.rates, change) } });
    return good(change);
  }
  /** As if there were a checkpoint at each row of samples. */
  async savedSteps(id: string): Promise<Outcome<readonly SavedStep[]>> {
    const { samples, summary } = this.#saved.get(id) ?? { samples: [], summary: null };
    const steps = samples.map(({ step }) => step).filter((step) => step > 0 && step <= (summary?.step ?? 0));
    return good([...new Set(steps)].reverse().map((step) => ({ step, savedAt: summary?.savedAt ?? 0 })));
  }
  async branchRun(id: string, step: number): Promise<Outcome<RunSummary>> {
    const run = this.#saved.get(id);
    if (!run) return gone();
    const summary: RunSummary = {
      ...{ ...run.summary, id: `${id}-from-${step}`, step, state: 'paused', finished: false, problem: null },
      ...{ name: `${run.summary.name}, from step ${step}`, savedAt: Date.now() },
    };
    const upTo = <T extends { readonly step: number }>(list: readonly T[]): readonly T[] =>
      list.filter((each) => each.step <= step);
    this.keep({
      ...{ ...run, summary, history: new StepLog(run.history).before(step).columns() },
      ...{ evaluations: upTo(run.evaluations), samples: upTo(run.samples) },
    });
    return good(summary);
  }
  async renameRun(id: string, name: string): Promise<Outcome<null>> {
    return this.#change(id, (run) => {
      const { summary } = run;
      this.#saved.set(id, { ...run, summary: { ...summary, name: name.trim() || defaultName(summary) } });
    });
  }
  async removeRun(id: string): Promise<Outcome<null>> {
    return this.#change(id, () => this.#removed.add(id));
  }
  async restoreRun(id: string): Promise<Outcome<null>> {
    return this.#change(id, () => this.#removed.delete(id));
  }
  async discard(id: string): Promise<void> {
    this.#saved.delete(id);
  }
  async exportRuns(ids: readonly string[]): Promise<Outcome<ExportedRuns>> {
    return ids.some((id) => this.#saved.has(id))
      ? good({ name: 'rotune-runs.zip', blob: new Blob([JSON.stringify(ids)]), left: [] })
      : gone();
  }
  async importRuns(): Promise<Outcome<ImportedRuns>> {
    return good({ imported: [], skipped: this.#saved.size });
  }
  async freeCheckpoints(): Promise<Outcome<number>> {
    this.freed = true;
    return good(690_000 * this.#saved.size);
  }
  async storage(): Promise<StorageReport> {
    const runs = [...this.#saved.values()].reduce((n, { summary }) => n + summary.bytes, 0);
    return {
      ...{ runs, prepared: 4_200_000, downloads: 0, app: 31_000_000, given: 0 },
      ...{ used: runs + 35_200_000, quota: 2e10, persisted: false },
    };
  }

  #change(id: string, work: (run: SavedRun) => unknown): Outcome<null> {
    const run = this.#saved.get(id);
    if (!run) return gone();
    work(run);
    return good(null);
  }
}
