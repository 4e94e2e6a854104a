/** @file The saved runs, for the page: listed, opened, named, removed, and moved between browsers. */
import type { Mutex } from '#src/runtime/mutex.ts';
import { whileStill } from '#src/store/runLock.ts';
import { noneWithout } from '#src/store/errors.ts';
import type {
  ExportedRuns,
  ImportedRuns,
  JobRequest,
  LibraryApi,
  Outcome,
  RunSummary,
  SavedRun,
  SavedStep,
} from '../../protocol.ts';
import type { Shelf } from '../adapters/shelf.ts';
import { busy, ProblemError } from '../problems.ts';
import { gone } from '../run/resume.ts';
import type { Runs } from '../saved.ts';
import { branched, stopped } from './branching.ts';
import { savedRun } from './opened.ts';

export interface LibraryContext {
  readonly runs: Runs;
  readonly shelf: Shelf;
  /** One job at a time. */
  readonly jobs: Mutex;
  readonly newId: () => string;
  /** A run was asked for and has not ended; its id, once it is known. */
  readonly going: () => { readonly id: string | null } | null;
  /** Whatever is thrown, as data. */
  readonly outcome: <T>(work: () => Promise<T>) => Promise<Outcome<T>>;
  /** When the page was opened, milliseconds since 1970; absent: now. */
  readonly since?: () => number;
}

export class Library implements LibraryApi {
  readonly #c: LibraryContext;
  readonly #began = Date.now();
  #tidied = false;

  constructor(context: LibraryContext) {
    this.#c = context;
  }

  async runs(): Promise<readonly RunSummary[]> {
    try {
      await this.tidy();
      return await this.#c.runs.list();
    } catch (cause) {
      // The first checkpoint will say so.
      return noneWithout(cause);
    }
  }

  openRun(request: JobRequest | null, id: string): Promise<Outcome<SavedRun>> {
    return this.#alone(() => this.#open(request, id));
  }

  keepRun(request: JobRequest | null, id: string): Promise<Outcome<SavedRun>> {
    return this.#alone(async () => {
      // What cannot be read is not over.
      await this.#open(request, id);
      await whileStill(id, () => stopped(this.#c.runs, id));
      return this.#open(request, id);
    });
  }

  savedSteps(id: string): Promise<Outcome<readonly SavedStep[]>> {
    return this.#c.outcome(() => this.#c.runs.steps(id));
  }

  branchRun(id: string, step: number): Promise<Outcome<RunSummary>> {
    const { runs, newId } = this.#c;
    return this.#c.outcome(() => branched(runs, id, step, newId()));
  }

  renameRun(id: string, name: string): Promise<Outcome<null>> {
    return this.#change(id, () => this.#c.runs.rename(id, name));
  }

  removeRun(id: string): Promise<Outcome<null>> {
    return this.#change(id, async () => {
      if (this.#c.going()?.id === id) throw new ProblemError(busy);
      await this.#c.runs.setRemoved(id, Date.now());
    });
  }

  restoreRun(id: string): Promise<Outcome<null>> {
    return this.#change(id, () => this.#c.runs.setRemoved(id, null));
  }

  async discard(id: string): Promise<void> {
    await whileStill(id, async () => {
      this.#c.shelf.forget(id);
      await this.#c.runs.remove(id);
    }).catch(() => undefined);
  }

  exportRuns(ids: readonly string[]): Promise<Outcome<ExportedRuns>> {
    return this.#c.outcome(async () => (await import('./exporting.ts')).exportRuns(this.#c.runs, ids));
  }

  importRuns(archive: Blob): Promise<Outcome<ImportedRuns>> {
    const { runs, newId, outcome } = this.#c;
    return outcome(async () => (await import('./importing.ts')).importRuns(runs, archive, newId));
  }

  freeCheckpoints(): Promise<Outcome<number>> {
    return this.#c.outcome(() => this.#c.runs.thin());
  }

  /** Once: what belongs to no run, and runs that were removed before this page was opened. Never throws. */
  async tidy(): Promise<void> {
    if (this.#tidied) return;
    this.#tidied = true;
    await this.#c.runs.tidy(this.#c.since?.() ?? this.#began).catch(() => undefined);
  }

  /** While nothing else is done with the device or the shelf. */
  #alone<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    const { jobs, going, outcome } = this.#c;
    return outcome(() => {
      if (going()) throw new ProblemError(busy);
      return jobs.run(work);
    });
  }

  async #open(request: JobRequest | null, id: string): Promise<SavedRun> {
    const { runs, shelf } = this.#c;
    const { saved, run } = await savedRun(runs, shelf.saved(id), id);
    shelf.show({ id, saved, model: request?.model ?? null });
    return run;
  }

  #change(id: string, work: () => Promise<void>): Promise<Outcome<null>> {
    return this.#c.outcome(async () => {
      if (!(await this.#c.runs.find(id))) throw new ProblemError(gone);
      // The run that trains here is held here.
      await (this.#c.going()?.id === id ? work() : whileStill(id, work));
      return null;
    });
  }
}
