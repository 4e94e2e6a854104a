/** @file The trainer behind the worker's API: one device, one job at a time, one adapter to sample from and to export. */
import { parameterLayout } from '#src/oft/parameters.ts';
import { Mutex } from '#src/runtime/mutex.ts';
import type { BackendKind, BackendReport, Runtime } from '#src/runtime/types.ts';
import type { CaptionEmbeddings } from '#src/tasks/diffusion/embeddings.ts';
import type { Decode } from '#src/tasks/diffusion/data.ts';
import type { AdapterFormat } from '#src/formats/adapterFormat.ts';
import type {
  AdapterReport,
  ExportedFile,
  JobRequest,
  Outcome,
  Picture,
  Preparation,
  RunEvent,
  RunResult,
  RunSummary,
  SampleRequest,
  Source,
  TrainerApi,
} from '../protocol.ts';
import { type Adapter, exportAs } from './adapter.ts';
import { Bench } from './bench.ts';
import { captionEmbeddings, JobEmbeddings } from './embed.ts';
import type { LoadedModel } from './model.ts';
import { bad, busy, good, noRun, problemOf, ProblemError } from './problems.ts';
import { probe } from './probe.ts';
import { checkedJob, matchSaved, readSaved } from './resume.ts';
import { Run } from './run.ts';
import { draw, rowsFor } from './samples.ts';
import type { Runs, Saved } from './saved.ts';
import { layoutKeyOf, Loader, makeSetup, type Progress, type Setup } from './setup.ts';
import { builtinSource, sourceKey } from './sources.ts';
import { Stopwatch } from './stopwatch.ts';

export interface Environment {
  /** Address of the app's folder, under which models/ and data/ lie. */
  readonly base: URL;
  readonly createRuntime: (prefer: BackendKind | 'auto') => Promise<Runtime>;
  readonly decode: Decode;
  readonly runs: Runs;
  /** A name for a new run. */
  readonly newId?: () => string;
}

/** A state that can be gone on from, stored or (where storing failed) only here. */
interface Latest {
  readonly id: string;
  readonly saved: Saved;
}

/** What samples are drawn with after a run. */
interface Studio {
  readonly adapter: Adapter;
  readonly model: LoadedModel;
  readonly embeddings: CaptionEmbeddings;
  readonly layoutKey: string;
}

export class Session implements TrainerApi {
  readonly #env: Environment;
  readonly #loader: Loader;
  readonly #jobs = new Mutex();
  readonly #embeddings: JobEmbeddings;
  #bench: Bench | null = null;
  #preferred: BackendKind | 'auto' = 'auto';
  /** A start was asked for and has not ended. */
  #running = false;
  #ended: Promise<unknown> = Promise.resolve();
  #run: Run | null = null;
  /** A pause or stop that came before the run stood. */
  #early: 'pause' | 'stop' | null = null;
  /** The last request made ready: preparing and starting share it. */
  #setup: { readonly key: string; readonly setup: Setup } | null = null;
  #latest: Latest | null = null;
  #studio: Studio | null = null;
  #tidied = false;

  constructor(env: Environment) {
    this.#env = env;
    this.#loader = new Loader(env.base, env.decode);
    this.#embeddings = new JobEmbeddings(() => this.#standing());
  }

  async device(prefer: BackendKind | 'auto'): Promise<BackendReport> {
    if (this.#running && this.#bench) return this.#bench.runtime.backend;
    return this.#jobs.run(async () => (await this.#device(prefer)).runtime.backend);
  }

  prepare(request: JobRequest, withProbe: boolean): Promise<Outcome<Preparation>> {
    if (this.#running) return Promise.resolve(bad(busy));
    return this.#outcome(() => this.#jobs.run(() => this.#prepare(request, withProbe)));
  }

  async start(
    request: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume?: string,
  ): Promise<Outcome<RunResult>> {
    if (this.#running) return bad(busy);
    this.#running = true;
    this.#early = null;
    const outcome = this.#outcome(() => this.#jobs.run(() => this.#start(request, onEvent, resume)));
    this.#ended = outcome;
    try {
      return await outcome;
    } finally {
      this.#running = false;
      this.#run = null;
    }
  }

  async pause(): Promise<void> {
    if (this.#run) this.#run.pause();
    else this.#early ??= 'pause';
    await this.#ended;
  }

  async stop(): Promise<void> {
    if (this.#run) this.#run.stop();
    else this.#early = 'stop';
    await this.#ended;
  }

  sampleNow(): Promise<void> {
    this.#run?.sampleNow();
    return Promise.resolve();
  }

  sample(request: SampleRequest): Promise<Outcome<readonly Picture[]>> {
    return this.#outcome(async () => {
      // Between the steps of a run the device is free for moments: pictures need not wait for its end.
      if (this.#run) return this.#draw(request);
      if (this.#running) throw new ProblemError(busy);
      return this.#jobs.run(() => this.#draw(request));
    });
  }

  exportAdapter(format: AdapterFormat): Promise<Outcome<ExportedFile>> {
    return this.#outcome(async () => exportAs(await this.#adapter(), format));
  }

  openAdapter(_request: JobRequest & { readonly adapter: Source }): Promise<Outcome<AdapterReport>> {
    return Promise.resolve(
      bad({ code: 'unsupported', message: 'Adapter files cannot be opened here.', cure: 'Start a run.' }),
    );
  }

  async lastRun(): Promise<RunSummary | null> {
    try {
      await this.#tidy();
      return (await this.#env.runs.list())[0] ?? null;
    } catch {
      // No storage: nothing was saved. The first checkpoint will say so.
      return null;
    }
  }

  async discard(id: string): Promise<void> {
    if (this.#latest?.id === id) this.#latest = null;
    if (this.#studio?.adapter.id === id) this.#studio = null;
    await this.#env.runs.remove(id).catch(() => undefined);
  }

  async #outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    try {
      return good(await work());
    } catch (error) {
      return bad(problemOf(error, this.#bench?.lost ?? null));
    }
  }

  async #tidy(): Promise<void> {
    if (this.#tidied) return;
    this.#tidied = true;
    await this.#env.runs.tidy();
  }

  #standing(): Bench {
    if (!this.#bench) throw new Error('There is no device.');
    return this.#bench;
  }

  /** The device, or another one if another is wanted or this one was lost. */
  async #device(prefer: BackendKind | 'auto'): Promise<Bench> {
    const known = this.#bench;
    if (known?.lost === null && (prefer === this.#preferred || prefer === known.runtime.backend.kind))
      return known;
    this.#bench = null;
    await known?.dispose();
    this.#bench = new Bench(await this.#env.createRuntime(prefer));
    this.#preferred = prefer;
    return this.#bench;
  }

  async #makeSetup(request: JobRequest, onProgress?: Progress): Promise<Setup> {
    const job = checkedJob(request.job);
    const sources = [request.model, request.train, request.heldout].map(sourceKey);
    const key = JSON.stringify([job, sources]);
    if (this.#setup?.key !== key)
      this.#setup = { key, setup: await makeSetup({ ...request, job }, this.#loader, onProgress) };
    return this.#setup.setup;
  }

  async #prepare(request: JobRequest, withProbe: boolean): Promise<Preparation> {
    const bench = await this.#device(request.backend);
    const setup = await this.#makeSetup(request);
    const { planned, model, problems } = setup;
    const sound = problems.every(({ severity }) => severity !== 'error');
    const secondsPerStep =
      withProbe && sound ? await probe(setup, bench, await this.#embeddings.of(setup)) : null;
    const sum = (pick: 'stored' | 'effective'): number => planned.reduce((n, p) => n + p[pick], 0);
    return {
      backend: bench.runtime.backend,
      modelHash: model.hash,
      modelBytes: model.bytes,
      layers: setup.layers,
      planned,
      parameters: { stored: sum('stored'), effective: sum('effective'), base: setup.weights },
      images: setup.train.images.length,
      heldout: setup.heldout?.images.length ?? 0,
      secondsPerStep,
      problems,
    };
  }

  async #start(
    request: JobRequest,
    emit: (event: RunEvent) => void,
    resume: string | undefined,
  ): Promise<RunResult> {
    const watch = new Stopwatch();
    emit({ kind: 'phase', phase: 'loading' });
    const saved = resume === undefined ? null : await this.#saved(resume, emit);
    const bench = await this.#device(request.backend);
    const setup = await watch.time('load', () =>
      this.#makeSetup(request, (done, total) => emit({ kind: 'phase', phase: 'loading', done, total })),
    );
    const error = setup.problems.find(({ severity }) => severity === 'error');
    if (error) throw new ProblemError(error);
    if (saved) matchSaved(saved, setup, bench.runtime.backend.kind, emit);
    const embeddings = await watch.time('embed', () => this.#embeddings.of(setup));
    await this.#tidy().catch(() => undefined);
    const run = new Run({
      id: resume ?? this.#env.newId?.() ?? crypto.randomUUID(),
      setup,
      bench,
      embeddings,
      runs: this.#env.runs,
      resume: saved,
      emit,
      onSaved: ({ id }, state) => {
        this.#latest = { id, saved: state };
      },
      watch,
    });
    this.#run = run;
    if (this.#early === 'pause') run.pause();
    if (this.#early === 'stop') run.stop();
    try {
      const result = await run.run();
      const adapter = await run.adapter();
      this.#studio = { adapter, model: setup.model, embeddings, layoutKey: setup.layoutKey };
      return result;
    } finally {
      this.#run = null;
      if (bench.lost === null) await bench.endTraining();
    }
  }

  #saved(id: string, emit: (event: RunEvent) => void): Promise<Saved> {
    return this.#latest?.id === id
      ? Promise.resolve(this.#latest.saved)
      : readSaved(this.#env.runs, id, emit);
  }

  /** The adapter of the run going on, else of the last one, else of the newest saved one. */
  async #adapter(): Promise<Adapter> {
    if (this.#run) {
      try {
        return await this.#run.adapter();
      } catch {
        // Not compiled yet, or the device is gone: the last state that was saved counts.
      }
    }
    const latest = this.#latest ?? (await this.#newest());
    if (!latest) throw new ProblemError(noRun);
    const { checkpoint, planned } = latest.saved;
    const theta = checkpoint.state['theta'];
    const layout = parameterLayout(planned);
    if (theta?.length !== layout.size) throw new ProblemError(noRun);
    const { job, step, modelHash } = checkpoint;
    return { id: latest.id, job, layout, theta, step, modelHash };
  }

  async #newest(): Promise<Latest | null> {
    const [last] = await this.#env.runs.list();
    const stored = last && (await this.#env.runs.load(last.id));
    return stored ? { id: stored.header.id, saved: stored.content } : null;
  }

  /** What is needed to draw: from the run, or put together again after a reload. */
  async #makeStudio(): Promise<Studio> {
    const adapter = await this.#adapter();
    const known = this.#studio;
    const { job } = adapter;
    const setup = this.#setup?.setup;
    if (setup && adapter.id === this.#run?.id)
      return {
        adapter,
        model: setup.model,
        embeddings: await this.#embeddings.of(setup),
        layoutKey: setup.layoutKey,
      };
    if (known?.adapter.id === adapter.id) return { ...known, adapter };
    const source = builtinSource(job.model);
    const model = source
      ? await this.#loader.model(source)
      : setup?.model.hash === adapter.modelHash
        ? setup.model
        : null;
    if (model?.hash !== adapter.modelHash)
      throw new ProblemError({
        code: 'no-run',
        message: `Drawing needs the model “${job.model}” that this adapter was trained on.`,
        item: job.model,
        cure: 'Open the model again and continue the run.',
      });
    return {
      adapter,
      model,
      embeddings: captionEmbeddings(model, () => this.#standing()),
      layoutKey: layoutKeyOf(model.hash, job.plan),
    };
  }

  async #draw(request: SampleRequest): Promise<readonly Picture[]> {
    const bench = this.#run ? this.#standing() : await this.#device(this.#preferred);
    const studio = await this.#makeStudio();
    this.#studio = studio;
    const { adapter, model, embeddings, layoutKey } = studio;
    const wanted = { ...request, negative: adapter.job.sample.negative };
    const forward = await bench.forward(
      model,
      { key: layoutKey, layout: adapter.layout, theta: adapter.theta, strength: request.strength },
      rowsFor(wanted),
    );
    const drawn = await draw(forward, model.folder.scheduler, embeddings, wanted, () => undefined);
    return drawn.pictures;
  }
}
