/** @file The page's side of the training worker's API: what fails in there comes back as data. */
import type { Remote } from 'comlink';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type {
  AdapterReport,
  AskRequest,
  DebugFigures,
  Difference,
  ExportedFile,
  ExportedRuns,
  ImportedRuns,
  JobRequest,
  Outcome,
  Picture,
  PicturesRequest,
  Samples,
  Preparation,
  PrepareProgress,
  Problem,
  RateChange,
  RunEvent,
  RunResult,
  RunSummary,
  Said,
  SampleRequest,
  SavedRun,
  SavedStep,
  Source,
  Speed,
  StorageReport,
  StoredCheckpoint,
  TrainerApi,
  WorkerApi,
} from '#workers/protocol.ts';
import type { DownloadProgress, FetchingApi, RemoteModel } from '#workers/download/types.ts';
import type { Inspection, Look } from '#workers/inspection/types.ts';
import type { BackendKind, BackendReport } from '#src/runtime/types.ts';
import type { KeptSet } from '#src/store/prepared.ts';
import { within } from '#src/platform/within.ts';
import { lookForBackend } from '#src/runtime/look.ts';
import { Connection } from './connection.ts';
import { Errand } from './errand.ts';
import { changeRun, dropRun, savedRuns } from './firstLook.ts';
import { goingOn } from './goingOn.ts';
import { failed, toProblem } from './problems.ts';
import { StuckStart } from './startWatch.ts';
import { askedThreads } from './threads.ts';

/** What the page talks to: the worker's API, or a fake of it. */
export type Trainer = TrainerApi;

/** The second start, with one thread, did not answer either. */
const neverStarts: Partial<Problem> = {
  message: 'The part of Rotune that computes does not start in this browser, with one thread neither.',
  safe: 'Saved checkpoints are still there.',
  cure: 'Reload the page. If it happens again, restart the browser, or try another one.',
};

/** What starts workers and talks with them comes when the first is wanted: the first screen does without. */
const workers = () => import('./workers.ts');

/** A callback that a worker may call. */
const lend = async <T extends object>(callback: T) => (await workers()).lend(callback);

/** A wish to cancel is heard within this, milliseconds, or the worker is ended: with the time that takes, a person waits a second. */
const HEARD = 700;

/** The user gave up, and the worker did not hear it. */
class Withdrawn extends Error {
  override readonly name = 'Withdrawn';
  constructor() {
    super('The preparation was cancelled.');
  }
}

export class WorkerTrainer implements Trainer {
  readonly #ready: () => Promise<void>;
  /** How the run that goes on is to end. */
  #wish: 'pause' | 'stop' | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  readonly #connection = new Connection(async (options, tell) => {
    await this.#ready();
    const threads = askedThreads(location.search);
    const asked = threads === null ? options : { threads, ...options };
    const { openTrainer } = await workers();
    return openTrainer({ ...asked, since: performance.timeOrigin }, tell);
  });

  readonly #downloader = new Errand(async () => {
    await this.#ready();
    return (await workers()).openDownloader();
  });

  /** @param ready what the start of a worker waits for */
  constructor(ready: () => Promise<void>) {
    this.#ready = ready;
  }

  /** Ends the workers at once, with whatever they are at. */
  close(): void {
    this.#connection.close();
    this.#downloader.close();
  }

  #call<T>(use: (api: Remote<WorkerApi>, note: string) => Promise<T>): Promise<T> {
    return this.#connection.call(use);
  }

  #outcome<T>(use: (api: Remote<WorkerApi>, note: string) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    return this.#told(() => this.#call(use));
  }

  /** What is thrown on the way, as data. */
  async #told<T>(work: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof Withdrawn) return failed({ code: 'cancelled', message: cause.message });
      if (cause instanceof StuckStart) return failed(toProblem(cause, neverStarts));
      return failed(
        toProblem(cause, {
          message: 'The part of Rotune that computes stopped.',
          safe: 'Saved checkpoints are still there.',
          cure: 'Try again; if it stops again, reload the page.',
        }),
      );
    }
  }

  async #fetched<T>(use: (api: Remote<FetchingApi>) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    try {
      return await this.#downloader.call(use);
    } catch (cause) {
      return failed(
        toProblem(cause, {
          message: 'The part of Rotune that downloads stopped.',
          safe: 'What came so far is kept.',
          cure: 'Try again; if it stops again, reload the page.',
        }),
      );
    }
  }

  /** Until a run is asked for the page looks for itself: the worker and the runtime need not be loaded to say what they will use. */
  device(prefer: BackendKind | 'auto'): Promise<BackendReport> {
    if (!this.#connection.isOpen) return lookForBackend(prefer, askedThreads(location.search));
    return this.#call((api) => api.device(prefer));
  }
  inspect(source: Source, look?: Look): Promise<Outcome<Inspection>> {
    return this.#outcome((api) => api.inspect(source, look));
  }
  lookAtUrl(url: string): Promise<Outcome<RemoteModel>> {
    return this.#fetched((api) => api.lookAtUrl(url));
  }
  download(
    url: string,
    paths: readonly string[],
    onProgress: (progress: DownloadProgress) => void,
  ): Promise<Outcome<RemoteModel>> {
    return this.#fetched(async (api) => api.download(url, paths, await lend(onProgress)));
  }
  async cancelDownload(): Promise<void> {
    if (this.#downloader.isOpen) await this.#downloader.call((api) => api.cancelDownload());
  }
  downloads(): Promise<Outcome<readonly RemoteModel[]>> {
    return this.#outcome((api) => api.downloads());
  }
  openDownload(url: string): Promise<Outcome<Source>> {
    return this.#outcome((api) => api.openDownload(url));
  }
  removeDownload(url: string): Promise<Outcome<null>> {
    return this.#outcome((api) => api.removeDownload(url));
  }
  prepare(
    request: JobRequest,
    probe: boolean,
    onProgress?: (progress: PrepareProgress) => void,
  ): Promise<Outcome<Preparation>> {
    return this.#outcome(async (api) => api.prepare(request, probe, onProgress && (await lend(onProgress))));
  }
  measure(request: JobRequest, onProgress?: (progress: PrepareProgress) => void): Promise<Outcome<Speed>> {
    return this.#outcome(async (api) => api.measure(request, onProgress && (await lend(onProgress))));
  }
  /** A worker that is too deep in a file to hear it is ended. */
  async cancelPreparation(): Promise<void> {
    const heard = this.#call((api) => api.cancelPreparation()).catch(() => undefined);
    // Whoever asks for something else meanwhile has not given that up.
    const { asked } = this.#connection;
    if ((await within(HEARD, heard, () => 'unheard')) === 'unheard')
      this.#connection.close(new Withdrawn(), asked);
  }
  keptData(): Promise<Outcome<readonly KeptSet[]>> {
    return this.#outcome((api) => api.keptData());
  }
  exportKept(name: string): Promise<Outcome<{ name: string; blob: Blob }>> {
    return this.#outcome((api) => api.exportKept(name));
  }
  removeKept(name: string): Promise<Outcome<null>> {
    return this.#outcome((api) => api.removeKept(name));
  }
  start(
    request: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume?: string,
    id?: string,
  ): Promise<Outcome<RunResult>> {
    this.#wish = null;
    const run = resume ?? id;
    const ask = (from: string | undefined, said: Problem | undefined): Promise<Outcome<RunResult>> =>
      this.#call<Outcome<RunResult>>(async (api, note) => {
        if (note) onEvent({ kind: 'warning', problem: { code: 'internal', message: note } });
        const outcome = api.start(request, await lend(onEvent), from, id, said);
        // What the worker that ended did not get round to.
        if (this.#wish !== null) void api[this.#wish]();
        return outcome;
      });
    const started = this.#told(() =>
      goingOn(
        {
          ask: (again, said) => ask(again ? run : undefined, said),
          discard: () => (run === undefined ? Promise.resolve() : this.discard(run)),
        },
        resume !== undefined,
      ),
    );
    this.#ended = started;
    return started;
  }
  differences(request: JobRequest, id: string): Promise<Outcome<readonly Difference[]>> {
    return this.#outcome((api) => api.differences(request, id));
  }
  pause(): Promise<void> {
    return this.#end('pause');
  }
  stop(): Promise<void> {
    return this.#end('stop');
  }
  /** Resolves when the run has ended so, in whichever worker. */
  async #end(wish: 'pause' | 'stop'): Promise<void> {
    this.#wish = wish;
    await this.#call((api) => api[wish]()).catch(() => this.#ended);
  }
  saveAgain(): Promise<Outcome<StoredCheckpoint>> {
    return this.#outcome((api) => api.saveAgain());
  }
  sampleNow(): Promise<void> {
    return this.#call((api) => api.sampleNow());
  }
  changeRate(id: string, factor: number): Promise<Outcome<RateChange>> {
    return this.#outcome((api) => api.changeRate(id, factor));
  }
  sample(request: SampleRequest): Promise<Outcome<Samples>> {
    return this.#outcome((api) => api.sample(request));
  }
  ask(request: AskRequest): Promise<Outcome<readonly Said[]>> {
    return this.#outcome((api) => api.ask(request));
  }
  pictures(request: PicturesRequest): Promise<Outcome<readonly (Picture | null)[]>> {
    return this.#outcome((api) => api.pictures(request));
  }
  exportAdapter(format: AdapterFormat): Promise<Outcome<ExportedFile>> {
    return this.#outcome((api) => api.exportAdapter(format));
  }
  openAdapter(request: JobRequest & { readonly adapter: Source }): Promise<Outcome<AdapterReport>> {
    return this.#outcome((api) => api.openAdapter(request));
  }
  /** The list of runs is the browser's: until a run is asked for, the page reads and changes it without the worker. */
  runs(): Promise<readonly RunSummary[]> {
    if (!this.#connection.isOpen) return savedRuns();
    // A worker that just ended answers nothing; its words for trouble would come without their kind.
    return this.#call((api) => api.runs()).catch(() => savedRuns());
  }
  openRun(request: JobRequest | null, id: string): Promise<Outcome<SavedRun>> {
    return this.#outcome((api) => api.openRun(request, id));
  }
  keepRun(request: JobRequest | null, id: string): Promise<Outcome<SavedRun>> {
    return this.#outcome((api) => api.keepRun(request, id));
  }
  savedSteps(id: string): Promise<Outcome<readonly SavedStep[]>> {
    return this.#outcome((api) => api.savedSteps(id));
  }
  branchRun(id: string, step: number): Promise<Outcome<RunSummary>> {
    return this.#outcome((api) => api.branchRun(id, step));
  }
  renameRun(id: string, name: string): Promise<Outcome<null>> {
    if (!this.#connection.isOpen) return changeRun(id, (runs) => runs.rename(id, name));
    return this.#outcome((api) => api.renameRun(id, name));
  }
  removeRun(id: string): Promise<Outcome<null>> {
    if (!this.#connection.isOpen) return changeRun(id, (runs) => runs.setRemoved(id, Date.now()));
    return this.#outcome((api) => api.removeRun(id));
  }
  restoreRun(id: string): Promise<Outcome<null>> {
    if (!this.#connection.isOpen) return changeRun(id, (runs) => runs.setRemoved(id, null));
    return this.#outcome((api) => api.restoreRun(id));
  }
  exportRuns(ids: readonly string[]): Promise<Outcome<ExportedRuns>> {
    return this.#outcome((api) => api.exportRuns(ids));
  }
  importRuns(archive: Blob): Promise<Outcome<ImportedRuns>> {
    return this.#outcome((api) => api.importRuns(archive));
  }
  freeCheckpoints(): Promise<Outcome<number>> {
    return this.#outcome((api) => api.freeCheckpoints());
  }
  storage(): Promise<StorageReport> {
    return import('./storage.ts').then(({ storageReport }) => storageReport());
  }
  /** Without a worker there is nothing to tell, and none is opened for it. */
  debug(): Promise<Outcome<DebugFigures | null>> {
    if (!this.#connection.isOpen) return Promise.resolve({ ok: true, value: null });
    return this.#outcome((api) => api.debug());
  }
  discard(id: string): Promise<void> {
    if (!this.#connection.isOpen) return dropRun(id);
    return this.#call((api) => api.discard(id));
  }
}
