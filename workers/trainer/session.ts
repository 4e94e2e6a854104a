/** @file The trainer behind the worker's API: one device, one job at a time, one adapter to sample from and to export. */
import { heap } from '#src/runtime/heap.ts';
import { FIRST_ROUNDS } from '#src/training/rounds.ts';
import { isFactor } from '#src/optim/rates.ts';
import { randomId } from '#src/platform/id.ts';
import { Mutex } from '#src/runtime/mutex.ts';
import type { BackendKind, BackendReport, LoadExternal } from '#src/runtime/types.ts';
import { DataError } from '#src/tasks/files.ts';
import type { Picture, Samples, TaskHost } from '#src/tasks/types.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type {
  AdapterReport,
  AskRequest,
  ExportedFile,
  JobRequest,
  Outcome,
  PicturesRequest,
  PrepareProgress,
  Preparation,
  RateChange,
  RunEvent,
  RunResult,
  Said,
  SampleRequest,
  SessionApi,
  Source,
} from '../protocol.ts';
import { Inspector } from '../inspection/inspect.ts';
import type { Inspection, Look } from '../inspection/types.ts';
import type { DebugFigures } from './debug/types.ts';
import { stepFigures } from './debug/figures.ts';
import { exportAs, wholeParts } from './adapters/adapter.ts';
import type { Bench } from './bench.ts';
import { type CreateRuntime, Devices, type Fetched } from './devices.ts';
import { ask, draw } from './adapters/draw.ts';
import { type Opening, openStudio } from './adapters/open.ts';
import { lookAt } from './prepare/look.ts';
import { FetchMeter } from './files/fetchMeter.ts';
import { Loader } from './files/loader.ts';
import { OwnFiles } from './files/ownFiles.ts';
import { bad, busy, Cancelled, good, problemOf, ProblemError } from './problems.ts';
import { checkedJob, matchSaved, readSaved } from './run/resume.ts';
import { Run } from './run/run.ts';
import type { KeptSet, PreparedStore } from '#src/store/prepared.ts';
import { keeping } from './data/keeping.ts';
import { thumbnails } from './data/thumbnails.ts';
import type { Runs, Saved } from './saved.ts';
import { makeSetup } from './prepare/setup.ts';
import type { Setup } from './prepare/types.ts';
import { type Present, Shelf, type Studio } from './adapters/shelf.ts';
import { Journal } from './library/journal.ts';
import { noFactor, rateChanged } from './library/branching.ts';
import { Library } from './library/library.ts';
import { seldom } from './run/seldom.ts';
import { openSource, sourceKey } from './files/sources.ts';
import { Stopwatch } from './run/stopwatch.ts';

export interface Environment {
  /** Address of the app's folder, under which models/ and data/ lie. */
  readonly base: URL;
  readonly createRuntime: CreateRuntime;
  readonly decodeImage: TaskHost['decodeImage'];
  readonly runs: Runs;
  /** Where prepared data are kept beyond a run; absent: nowhere. */
  readonly prepared?: PreparedStore | undefined;
  /** A name for a new run. */
  readonly newId?: () => string;
  /** When the page was opened, milliseconds since 1970: what was removed before that is gone for good. Absent: when the session began. */
  readonly since?: () => number;
}

export class Session implements SessionApi {
  readonly #env: Environment;
  readonly #meter = new FetchMeter();
  readonly #own: OwnFiles;
  readonly #devices: Devices;
  readonly #loader: Loader;
  readonly #jobs = new Mutex();
  readonly #inspector: Inspector;
  readonly #host: TaskHost;
  /** The same, keeping nothing beyond the moment. */
  readonly #bare: TaskHost;
  /** Reads the large weights of the model at hand. */
  #external: LoadExternal | undefined;
  /** A start was asked for and has not ended. */
  #running = false;
  #ended: Promise<unknown> = Promise.resolve();
  #run: Run | null = null;
  /** Of the run that was asked for. */
  #journal: Journal | null = null;
  /** A pause or stop that came before the run stood. */
  #early: 'pause' | 'stop' | null = null;
  /** The last request made ready: preparing and starting share it. */
  #setup: { readonly key: string; readonly setup: Setup } | null = null;
  readonly #shelf: Shelf;
  /** The saved runs. */
  readonly library: Library;
  /** Ends the preparation that is going on. */
  #cancelling: AbortController | null = null;
  /** Where the time of the present or last run went. */
  #watch = new Stopwatch();
  /** The last run's end, whose step is freed since. */
  #last: (Pick<RunResult, 'placement' | 'memory'> & { readonly setup: Setup }) | null = null;
  /** What the data at hand are called, where they are to be kept. */
  #keepAs: string | null = null;

  constructor(env: Environment) {
    this.#env = env;
    this.#own = new OwnFiles(env.base, this.#meter);
    this.#devices = new Devices(env.createRuntime, this.#meter);
    this.#loader = new Loader(this.#own);
    this.#inspector = new Inspector(this.#own);
    this.#shelf = new Shelf(env.runs, this.#loader);
    this.library = new Library({
      ...{ runs: env.runs, shelf: this.#shelf, jobs: this.#jobs, newId: () => this.#newId() },
      going: () => (this.#running ? { id: this.#journal?.id ?? null } : null),
      outcome: (work) => this.#outcome(work),
      ...(env.since && { since: env.since }),
    });
    const host = this.#newHost();
    this.#bare = host;
    this.#host = env.prepared ? keeping(host, env.prepared, () => this.#keepAs) : host;
  }

  async device(prefer: BackendKind | 'auto'): Promise<BackendReport> {
    const standing = this.#running ? this.#devices.report : null;
    return standing ?? this.#jobs.run(async () => (await this.#devices.get(prefer)).runtime.backend);
  }

  inspect(source: Source, look?: Look): Promise<Outcome<Inspection>> {
    return this.#outcome(() => this.#inspector.inspect(source, look));
  }

  prepare(
    request: JobRequest,
    withProbe: boolean,
    onProgress: (progress: PrepareProgress) => void = () => undefined,
  ): Promise<Outcome<Preparation>> {
    if (this.#running) return Promise.resolve(bad(busy));
    return this.#outcome(() => this.#jobs.run(() => this.#prepare(request, withProbe, onProgress)));
  }

  cancelPreparation(): Promise<void> {
    const reason = new Cancelled('The preparation was cancelled.');
    this.#cancelling?.abort(reason);
    this.#own.cancel(reason);
    return Promise.resolve();
  }

  keptData(): Promise<Outcome<readonly KeptSet[]>> {
    return this.#outcome(async () => (await this.#env.prepared?.list()) ?? []);
  }

  exportKept(name: string): Promise<Outcome<{ name: string; blob: Blob }>> {
    return this.#outcome(async () => {
      if (!this.#env.prepared)
        throw new DataError('No prepared data are kept here. Give the data themselves.');
      const { keptArchive } = await import('./data/keptArchive.ts');
      return keptArchive(this.#env.prepared, name);
    });
  }

  removeKept(name: string): Promise<Outcome<null>> {
    return this.#outcome(async () => {
      await this.#env.prepared?.remove(name);
      return null;
    });
  }

  async start(
    request: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume?: string,
    id?: string,
  ): Promise<Outcome<RunResult>> {
    if (this.#running) return bad(busy);
    this.#running = true;
    this.#early = null;
    const outcome = this.#outcome(() => this.#jobs.run(() => this.#start(request, onEvent, resume, id)));
    this.#ended = outcome;
    try {
      return await outcome;
    } finally {
      this.#running = false;
      this.#run = null;
      this.#journal = null;
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

  changeRate(id: string, factor: number): Promise<Outcome<RateChange>> {
    return this.#outcome(async () => {
      if (!isFactor(factor)) throw new ProblemError(noFactor);
      const run = this.#run;
      if (run?.id === id && !run.over) return run.changeRate(factor);
      if (this.#running) throw new ProblemError(busy);
      return this.#jobs.run(() => rateChanged(this.#env.runs, id, factor));
    });
  }

  sample(request: SampleRequest): Promise<Outcome<Samples>> {
    return this.#outcome(async () => {
      // Between the steps of a run the device is free for moments: pictures need not wait for its end.
      if (this.#run) return this.#draw(request);
      if (this.#running) throw new ProblemError(busy);
      return this.#jobs.run(() => this.#draw(request));
    });
  }

  ask(request: AskRequest): Promise<Outcome<readonly Said[]>> {
    return this.#outcome(async () => {
      if (this.#run) return this.#ask(request);
      if (this.#running) throw new ProblemError(busy);
      return this.#jobs.run(() => this.#ask(request));
    });
  }

  pictures({ source, paths }: PicturesRequest): Promise<Outcome<readonly (Picture | null)[]>> {
    return this.#outcome(async () =>
      thumbnails(await this.#loader.looked(source), paths, this.#env.decodeImage),
    );
  }

  exportAdapter(format: AdapterFormat): Promise<Outcome<ExportedFile>> {
    return this.#outcome(async () => {
      const present = this.#present();
      const adapter = await this.#shelf.adapter(present);
      return exportAs(adapter, format, async () => {
        const { model, external } = await this.#shelf.model(adapter, present);
        return wholeParts(model, external);
      });
    });
  }

  openAdapter(request: Opening): Promise<Outcome<AdapterReport>> {
    if (this.#running) return Promise.resolve(bad(busy));
    return this.#outcome(() => this.#jobs.run(() => this.#open(request)));
  }

  debug(): Promise<Outcome<DebugFigures | null>> {
    return this.#outcome(async () => {
      if (this.#devices.report === null) return null;
      const bench = this.#devices.standing();
      const setup = this.#setup?.setup ?? null;
      const sound = setup?.problems.every(({ severity }) => severity !== 'error') ?? false;
      const ended = !this.#run && this.#last?.setup === setup ? this.#last : null;
      return {
        backend: bench.runtime.backend,
        step: setup && sound ? stepFigures(setup.program(this.#run?.rounds ?? FIRST_ROUNDS)) : null,
        placement: ended?.placement ?? bench.placement(),
        timings: this.#watch.seconds(),
        measured: { ...(ended?.memory ?? bench.runtime.memory()), heap: heap.bytes },
      };
    });
  }

  async #outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    try {
      return good(await work());
    } catch (error) {
      return bad(problemOf(error, this.#devices.lost));
    }
  }

  #ready(request: JobRequest, ...rest: [AbortSignal, (progress: Fetched) => void]): Promise<Bench> {
    return this.#devices.ready(request.backend, () => this.#loader.prefetch(request), ...rest);
  }

  #present(): Present {
    return { run: this.#run, setup: this.#setup?.setup ?? null };
  }

  async #makeSetup(
    request: JobRequest,
    saved: Saved | null,
    tell?: (progress: PrepareProgress) => void,
  ): Promise<Setup> {
    const job = checkedJob(request.job);
    const { model, train, heldout, adapter = null } = request;
    const sources = [model, train, heldout, adapter].map(sourceKey);
    // The plan of a run that began from a file is in its checkpoint.
    const key = JSON.stringify([job, sources, saved?.adapter ? saved.adapter.hash : null]);
    this.#external = this.#loader.external(model);
    this.#keepAs = train.kind === 'files' ? train.name : null;
    if (this.#setup?.key !== key)
      this.#setup = {
        key,
        setup: await makeSetup({ ...request, job }, this.#loader, this.#host, saved, tell),
      };
    return this.#setup.setup;
  }

  async #prepare(
    request: JobRequest,
    withProbe: boolean,
    onProgress: (progress: PrepareProgress) => void,
  ): Promise<Preparation> {
    const cancelling = new AbortController();
    this.#cancelling = cancelling;
    const { signal } = cancelling;
    const tell = seldom((progress: PrepareProgress) => onProgress(progress));
    const going = (progress: PrepareProgress): void => {
      signal.throwIfAborted();
      tell(progress, progress.done === progress.total);
    };
    try {
      const bench = await this.#ready(request, signal, ({ done, total }) =>
        tell({ what: 'fetching', done, total }, done === total),
      );
      signal.throwIfAborted();
      const setup = await this.#makeSetup(request, null, going);
      return await lookAt(setup, withProbe, bench, this.#host, going);
    } finally {
      this.#cancelling = null;
      await this.#env.prepared?.flush();
    }
  }

  async #start(
    given: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume: string | undefined,
    id: string | undefined,
  ): Promise<RunResult> {
    const request = { ...given, job: checkedJob(given.job) };
    const early: RunEvent[] = [];
    const saved = resume === undefined ? null : await this.#saved(resume, (event) => early.push(event));
    const header = resume === undefined ? null : await this.#env.runs.find(resume).catch(() => null);
    const name = resume ?? id ?? this.#newId();
    if (!saved && (await this.#env.runs.find(name).catch(() => null)))
      throw new Error(`The id ${name} is another run's.`);
    const journal = new Journal(name, this.#env.runs, request, saved && { header, saved });
    this.#journal = journal;
    const emit = (event: RunEvent): void => {
      journal.hear(event);
      onEvent(event);
    };
    emit({ kind: 'phase', phase: 'loading' });
    for (const event of early) emit(event);
    return journal.keep(
      () => this.#train(request, emit, saved, journal),
      (error) => problemOf(error, this.#devices.lost),
    );
  }

  async #train(
    request: JobRequest,
    emit: (event: RunEvent) => void,
    saved: Saved | null,
    journal: Journal,
  ): Promise<RunResult> {
    const watch = new Stopwatch();
    this.#watch = watch;
    const tell = seldom(emit);
    const cancelling = new AbortController();
    this.#cancelling = cancelling;
    const { signal } = cancelling;
    const bench = await this.#ready(request, signal, ({ done, total }) =>
      tell({ kind: 'phase', phase: 'fetching', done, total }, done === total),
    ).finally(() => (this.#cancelling = null));
    signal.throwIfAborted();
    const setup = await watch.time('load', () =>
      this.#makeSetup(request, saved, ({ done, total }) => {
        tell({ kind: 'phase', phase: 'preparing', done, total }, done === total);
      }),
    );
    const error = setup.problems.find(({ severity }) => severity === 'error');
    if (error) throw new ProblemError(error);
    if (saved) matchSaved(saved, setup, bench.runtime.backend.kind, emit);
    await watch.time('embed', () =>
      setup.prepared.warm(this.#host, (done, total) => {
        tell({ kind: 'phase', phase: 'preparing', done, total }, done === total);
      }),
    );
    await this.#env.prepared?.flush();
    await this.library.tidy();
    if (saved) await journal.begin();
    const run = new Run({
      journal,
      setup,
      bench,
      host: this.#host,
      runs: this.#env.runs,
      resume: saved,
      emit,
      onSaved: (state) => this.#shelf.put(journal.id, state),
      watch,
    });
    this.#run = run;
    this.#shelf.close();
    if (this.#early === 'pause') run.pause();
    if (this.#early === 'stop') run.stop();
    try {
      const result = await run.run();
      this.#last = { placement: result.placement, memory: result.memory, setup };
      const adapter = await run.adapter();
      const { model, external, layoutKey } = setup;
      this.#shelf.leave({ adapter, model, external, layoutKey });
      return result;
    } finally {
      this.#run = null;
      if (bench.lost === null) await bench.endTraining();
    }
  }

  #newId(): string {
    return this.#env.newId?.() ?? randomId();
  }

  async #saved(id: string, emit: (event: RunEvent) => void): Promise<Saved> {
    return this.#shelf.saved(id) ?? readSaved(this.#env.runs, id, emit);
  }

  async #open(request: Opening): Promise<AdapterReport> {
    const job = checkedJob(request.job);
    await this.#devices.get(request.backend);
    this.#external = this.#loader.external(request.model);
    const { studio, report } = await openStudio({ ...request, job }, this.#loader);
    this.#shelf.open(studio);
    return report;
  }

  async #studio(): Promise<{ readonly studio: Studio; readonly bench: Bench }> {
    const bench = this.#run ? this.#devices.standing() : await this.#devices.get();
    const studio = await this.#shelf.studio(this.#present());
    this.#external = studio.external;
    return { studio, bench };
  }

  async #draw(request: SampleRequest): Promise<Samples> {
    const { studio, bench } = await this.#studio();
    return draw(studio, request, bench, this.#host);
  }

  async #ask(request: AskRequest): Promise<readonly Said[]> {
    const { given = null } = request;
    const files = given && (await openSource(given, { own: this.#own, kind: 'data' }));
    const { studio, bench } = await this.#studio();
    // What is tried is kept nowhere.
    return ask(studio, request, files, bench, this.#bare);
  }

  /** What tasks are lent: always through the device that stands at the time. */
  #newHost(): TaskHost {
    const standing = (): Bench => this.#devices.standing();
    return {
      get backend() {
        return standing().runtime.backend.kind;
      },
      get memory() {
        return standing().runtime.offered;
      },
      frozen: (slot, key, graph) => (feeds) => standing().frozen(slot, key, graph, this.#external)(feeds),
      decodeImage: this.#env.decodeImage,
    };
  }
}
