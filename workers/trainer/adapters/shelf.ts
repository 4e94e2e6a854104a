/** @file The adapters that there are to draw with and to export: the running run's, an opened file's or saved run's, the last or the newest saved one's. */
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import type { LoadExternal } from '#src/runtime/types.ts';
import type { TaskModel } from '#src/tasks/types.ts';
import type { Source } from '../../protocol.ts';
import type { Adapter } from './adapter.ts';
import { noRun, ProblemError } from '../problems.ts';
import type { Run } from '../run/run.ts';
import type { Runs, Saved } from '../saved.ts';
import type { Loader } from '../files/loader.ts';
import { layoutKeyOf } from '../prepare/setup.ts';
import type { Setup } from '../prepare/types.ts';
import { builtinSource } from '../files/sources.ts';

/** A state that can be gone on from, stored or (where storing failed) only here. */
interface Latest {
  readonly id: string;
  readonly saved: Saved;
}

/** A saved run that was opened, and where its model is; null: not at hand. */
export interface OpenedRun extends Latest {
  readonly model: Source | null;
}

/** A model at hand. */
export interface Opened {
  readonly model: TaskModel;
  /** Reads its large weights by range. */
  readonly external: LoadExternal;
}

/** What samples are drawn with. */
export interface Studio extends Opened {
  readonly adapter: Adapter;
  readonly layoutKey: string;
}

/** What goes on while something is asked for. */
export interface Present {
  readonly run: Run | null;
  /** The last request made ready. */
  readonly setup: Setup | null;
}

export class Shelf {
  readonly #runs: Runs;
  readonly #loader: Loader;
  #latest: Latest | null = null;
  #opened: Studio | null = null;
  /** In which #latest and #studio are passed over, until a run begins. */
  #shown: OpenedRun | null = null;
  #studio: Studio | null = null;

  constructor(runs: Runs, loader: Loader) {
    this.#runs = runs;
    this.#loader = loader;
  }

  /** The newest state of a run. */
  put(id: string, saved: Saved): void {
    this.#latest = { id, saved };
  }

  /** That state, if it is of this run and was not only stored. */
  saved(id: string): Saved | null {
    return this.#latest?.id === id ? this.#latest.saved : null;
  }

  /** What the last run leaves to draw with. */
  leave(studio: Studio): void {
    this.#studio = studio;
  }

  /** An adapter file stands in for all runs, until a run begins. */
  open(studio: Studio): void {
    this.#opened = studio;
    this.#shown = null;
  }
  /** A saved run stands in for all others, until a run begins. */
  show(run: OpenedRun): void {
    this.#shown = run;
    this.#opened = null;
  }
  close(): void {
    this.#opened = null;
    this.#shown = null;
  }

  forget(id: string): void {
    if (this.#latest?.id === id) this.#latest = null;
    if (this.#shown?.id === id) this.#shown = null;
    if (this.#studio?.adapter.id === id) this.#studio = null;
  }

  async adapter({ run }: Present): Promise<Adapter> {
    if (run) {
      try {
        return await run.adapter();
      } catch {
        // Not compiled yet, or the device is gone: the last state that was saved counts.
      }
    }
    if (this.#opened) return this.#opened.adapter;
    const latest = this.#shown ?? this.#latest ?? (await this.#newest());
    if (!latest) throw new ProblemError(noRun);
    const { checkpoint, planned, whole, layers, classes } = latest.saved;
    const theta = checkpoint.state['theta'];
    const layout = parameterLayout(planned, whole);
    if (theta?.length !== layout.size) throw new ProblemError(noRun);
    const { job, step, modelHash } = checkpoint;
    return { id: latest.id, job, layers, layout, theta, step, modelHash, classes };
  }

  async #newest(): Promise<Latest | null> {
    const last = (await this.#runs.list()).find(({ checkpoints }) => checkpoints > 0);
    const stored = last && (await this.#runs.load(last.id));
    return stored ? { id: stored.header.id, saved: stored.content } : null;
  }

  /** The model that an adapter belongs to: at hand, or a built-in one. Throws ProblemError if the user must give it again. */
  async model(adapter: Adapter, { setup }: Present): Promise<Opened> {
    const { job, modelHash } = adapter;
    for (const known of [this.#opened, this.#studio]) if (known?.model.hash === modelHash) return known;
    const source = (this.#shown?.id === adapter.id ? this.#shown.model : null) ?? builtinSource(job.model);
    if (setup?.model.hash === modelHash) return setup;
    const model = source && (await this.#loader.model(source, job));
    if (!model || model.hash !== modelHash)
      throw new ProblemError({
        code: 'no-run',
        message: `This needs the model “${job.model}” that the adapter was trained on.`,
        item: job.model,
        cure: 'Open the model again and continue the run.',
      });
    return { model, external: this.#loader.external(source) };
  }

  /** What is needed to draw: from the run, or put together again after a reload. */
  async studio(present: Present): Promise<Studio> {
    const { run, setup } = present;
    const adapter = await this.adapter(present);
    if (adapter === this.#opened?.adapter) return this.#opened;
    let studio: Studio;
    if (setup && adapter.id === run?.id)
      studio = {
        adapter,
        model: setup.model,
        external: setup.external,
        layoutKey: setup.layoutKey,
      };
    else if (this.#studio?.adapter.id === adapter.id) studio = { ...this.#studio, adapter };
    else {
      const { model, external } = await this.model(adapter, present);
      studio = { adapter, model, external, layoutKey: layoutKeyOf(model.hash, adapter.layout) };
    }
    this.#studio = studio;
    return studio;
  }
}
