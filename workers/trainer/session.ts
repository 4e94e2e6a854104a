/** @file The trainer behind the worker's API: one device, one job at a time, one adapter to sample from and to export. */
import { heap } from '#src/runtime/heap.ts';
import { randomId } from '#src/platform/id.ts';
import { Mutex } from '#src/runtime/mutex.ts';
import type { BackendKind, BackendReport } from '#src/runtime/types.ts';
import { DataError } from '#src/tasks/files.ts';
import type { Picture, Samples } from '#src/tasks/types.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type {
  AdapterReport,
  AskRequest,
  Difference,
  ExportedFile,
  JobRequest,
  Outcome,
  PicturesRequest,
  PrepareProgress,
  Preparation,
  Problem,
  RateChange,
  RunEvent,
  RunResult,
  Said,
  SampleRequest,
  SessionApi,
  Source,
  Speed,
  StoredCheckpoint,
} from '../protocol.ts';
import { Inspector } from '../inspection/inspect.ts';
import type { Inspection, Look } from '../inspection/types.ts';
import type { DebugFigures } from './debug/types.ts';
import { stepFigures } from './debug/figures.ts';
import { Devices } from './devices.ts';
import type { Environment } from './environment.ts';
import { Drawing } from './adapters/drawing.ts';
import type { Opening } from './adapters/open.ts';
import { FetchMeter } from './files/fetchMeter.ts';
import { Loader } from './files/loader.ts';
import { OwnFiles } from './files/ownFiles.ts';
import { bad, busy, Cancelled, good, problemOf, ProblemError } from './problems.ts';
import { Training } from './run/training.ts';
import type { KeptSet } from '#src/store/prepared.ts';
import { thumbnails } from './data/thumbnails.ts';
import { Lent } from './lent.ts';
import { Preparing } from './prepare/preparing.ts';
import { Shelf } from './adapters/shelf.ts';
import { Library } from './library/library.ts';

export class Session implements SessionApi {
  readonly #env: Environment;
  readonly #own: OwnFiles;
  readonly #devices: Devices;
  readonly #loader: Loader;
  readonly #jobs = new Mutex();
  readonly #inspector: Inspector;
  readonly #preparing: Preparing;
  readonly #training: Training;
  readonly #drawing: Drawing;
  /** The saved runs. */
  readonly library: Library;

  constructor(env: Environment) {
    this.#env = env;
    const meter = new FetchMeter();
    this.#own = new OwnFiles(env.base, meter, env.files);
    this.#devices = new Devices(env.createRuntime, meter);
    this.#loader = new Loader(this.#own);
    this.#inspector = new Inspector(this.#own);
    const lent = new Lent(this.#devices, env);
    this.#preparing = new Preparing(this.#devices, this.#loader, lent, env.prepared);
    const shelf = new Shelf(env.runs, this.#loader);
    const shared = {
      ...{ runs: env.runs, shelf, jobs: this.#jobs },
      newId: () => env.newId?.() ?? randomId(),
      outcome: <T>(work: () => Promise<T>) => this.#outcome(work),
    };
    this.#training = new Training({
      ...shared,
      ...{ devices: this.#devices, preparing: this.#preparing, lent },
      ...{ prepared: env.prepared, versions: env.versions },
      tidy: () => this.library.tidy(),
    });
    this.#drawing = new Drawing({
      ...{ devices: this.#devices, loader: this.#loader, own: this.#own, lent, shelf },
      present: () => ({ run: this.#training.run, setup: this.#preparing.setup }),
    });
    this.library = new Library({
      ...shared,
      going: () => (this.#training.running ? { id: this.#training.id } : null),
      ...(env.since && { since: env.since }),
    });
  }

  async device(prefer: BackendKind | 'auto'): Promise<BackendReport> {
    const standing = this.#training.running ? this.#devices.report : null;
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
    if (this.#training.running) return Promise.resolve(bad(busy));
    return this.#outcome(() => this.#jobs.run(() => this.#preparing.prepare(request, withProbe, onProgress)));
  }

  measure(
    request: JobRequest,
    onProgress: (progress: PrepareProgress) => void = () => undefined,
  ): Promise<Outcome<Speed>> {
    if (this.#training.running) return Promise.resolve(bad(busy));
    return this.#outcome(() => this.#jobs.run(() => this.#preparing.measure(request, onProgress)));
  }

  async cancelPreparation(): Promise<void> {
    const reason = new Cancelled('The preparation was cancelled.');
    const heard = this.#preparing.cancel(reason);
    this.#own.cancel(reason);
    await heard;
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

  start(
    request: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume?: string,
    id?: string,
    note?: Problem,
  ): Promise<Outcome<RunResult>> {
    return this.#training.start(request, onEvent, resume, id, note);
  }

  differences(request: JobRequest, id: string): Promise<Outcome<readonly Difference[]>> {
    if (this.#training.running) return Promise.resolve(bad(busy));
    return this.#outcome(() => this.#jobs.run(() => this.#training.differences(request, id)));
  }

  pause(): Promise<void> {
    return this.#training.pause();
  }

  stop(): Promise<void> {
    return this.#training.stop();
  }

  saveAgain(): Promise<Outcome<StoredCheckpoint>> {
    return this.#outcome(() => this.#jobs.run(() => this.#training.saveAgain()));
  }

  sampleNow(): Promise<void> {
    this.#training.run?.sampleNow();
    return Promise.resolve();
  }

  changeRate(id: string, factor: number): Promise<Outcome<RateChange>> {
    return this.#outcome(() => this.#training.changeRate(id, factor));
  }

  sample(request: SampleRequest): Promise<Outcome<Samples>> {
    return this.#beside(() => this.#drawing.draw(request));
  }

  ask(request: AskRequest): Promise<Outcome<readonly Said[]>> {
    return this.#beside(() => this.#drawing.ask(request));
  }

  pictures({ source, paths }: PicturesRequest): Promise<Outcome<readonly (Picture | null)[]>> {
    return this.#outcome(async () =>
      thumbnails(await this.#loader.looked(source), paths, this.#env.decodeImage),
    );
  }

  exportAdapter(format: AdapterFormat): Promise<Outcome<ExportedFile>> {
    return this.#outcome(() => this.#drawing.exported(format));
  }

  openAdapter(request: Opening): Promise<Outcome<AdapterReport>> {
    if (this.#training.running) return Promise.resolve(bad(busy));
    return this.#outcome(() => this.#jobs.run(() => this.#drawing.open(request)));
  }

  debug(): Promise<Outcome<DebugFigures | null>> {
    return this.#outcome(async () => {
      if (this.#devices.report === null) return null;
      const bench = this.#devices.standing();
      const { setup } = this.#preparing;
      const { run, last, watch } = this.#training;
      const sound = setup?.problems.every(({ severity }) => severity !== 'error') ?? false;
      const ended = !run && last?.setup === setup ? last : null;
      return {
        backend: bench.runtime.backend,
        step: setup && sound ? stepFigures(setup.program(run?.rounds ?? setup.rounds)) : null,
        placement: ended?.placement ?? bench.placement(),
        timings: watch.seconds(),
        measured: { ...(ended?.memory ?? bench.runtime.memory()), heap: heap.bytes },
      };
    });
  }

  async #outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    try {
      return good(await work());
    } catch (error) {
      return bad(problemOf(error, await this.#devices.whyLost()));
    }
  }

  /** Between the steps of a run the device is free for moments: pictures need not wait for its end. */
  #beside<T>(work: () => Promise<T>): Promise<Outcome<T>> {
    return this.#outcome(async () => {
      if (this.#training.run) return work();
      if (this.#training.running) throw new ProblemError(busy);
      return this.#jobs.run(work);
    });
  }
}
