/** @file All that the page knows of the training worker: types and error codes. comlink keeps only an error's message, so problems travel as data. */
import type { DrawSvg } from './trainer/data/images.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import type { BackendKind, BackendReport, PlacementReport, StartSign } from '#src/runtime/types.ts';
import type { MemoryVerdict, Relief } from '#src/program/verdict.ts';
import type { KeptSet } from '#src/store/prepared.ts';
import type { RunHeader } from '#src/store/runHeader.ts';
import type { SavedStep } from '#src/store/runReader.ts';
import type { Answer, DataPreview, Mend, Picture, Samples } from '#src/tasks/types.ts';
import type { RateChange } from '#src/optim/rates.ts';
import type { StepColumns } from '#src/training/steps.ts';
import type { Difference, Evaluation, MeansFrom, Orthogonality, StepRecord } from '#src/training/types.ts';
import type { Beat } from '#src/platform/pulse.ts';
import type { DebugFigures } from './trainer/debug/types.ts';
import type { DownloadApi, StoredApi } from './download/types.ts';
import type { Inspection, Look } from './inspection/types.ts';
import type { Outcome, Problem, Source } from './types.ts';

export type { Outcome, Problem, ProblemCode, Source } from './types.ts';

/** How far the making ready is: bytes fetched (runtime, model and data together), items of data, captions and pictures encoded, weights rounded. */
export interface PrepareProgress {
  readonly what: 'fetching' | 'data' | 'encoding' | 'rounding' | 'timing';
  readonly done: number;
  readonly total: number;
}

/** How long a device takes with a request's model. */
export interface Speed {
  readonly backend: BackendReport;
  /** Examples of a pass. */
  readonly batch: number;
  /** Layers that are turned. */
  readonly layers: number;
  /** Milliseconds of each round. */
  readonly forward: { readonly nodes: number; readonly ms: readonly number[] };
  readonly step: { readonly nodes: number; readonly ms: readonly number[] };
}

export interface JobRequest {
  readonly job: Job;
  readonly model: Source;
  readonly train: Source;
  readonly heldout: Source | null;
  /** An adapter file or folder of any tool that the run starts from; absent or null: from the untouched model. */
  readonly adapter?: Source | null;
  readonly backend: BackendKind | 'auto';
}

/** What became of an adapter file on this model. */
export interface AdapterReport {
  readonly format: AdapterFormat;
  /** Layers that took numbers from the file. */
  readonly loaded: number;
  /** Keys that a complete file would have; keys that belong to nothing here. */
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  /** Plain sentences: what was converted, what differs from the tool's own reading. */
  readonly notes: readonly string[];
}

/** Memory of a run on a device, in bytes. */
export interface Fit extends MemoryVerdict {
  readonly weights: number;
  readonly state: number;
  readonly activations: number;
  /** What would make it fit, mildest first; each includes those before it. */
  readonly reliefs: readonly Relief[];
}

/** What it saves and costs that the weights of a float model are held in fewer bits. */
export interface RoundedBase {
  readonly bits: 4 | 8;
  /** Bytes of those weights in float32, and as they are held. */
  readonly before: number;
  readonly after: number;
  /** The largest first. */
  readonly weights: readonly {
    readonly name: string;
    /** Numbers with one scale. */
    readonly block: number;
    readonly before: number;
    readonly after: number;
    /** ‖W − Ŵ‖_F ÷ ‖W‖_F. */
    readonly error: number;
  }[];
  /** Large float weights that stay as they are, and why, behind their names. */
  readonly left: readonly { readonly name: string; readonly bytes: number; readonly reason: string }[];
  /** ‖ŷ − y‖ ÷ ‖y‖ over the outputs of the untouched model for the first batch; null: not measured, since that takes the float model. */
  readonly outputs: number | null;
}

/** A kind of file that the adapter cannot be saved as, found by writing it. */
export interface Unsaveable {
  readonly format: AdapterFormat;
  /** Why, and the way out. */
  readonly reason: string;
}

/** Something wrong with plan or data, or several things of one kind. */
export interface Remark extends Problem {
  readonly severity: 'error' | 'warning';
  readonly mend?: Mend | undefined;
  /** By which a cure is found. */
  readonly kind?: string;
  /** Files, rows … that it is said of, all of them. */
  readonly items?: readonly string[];
  /** Of several things, what there is to say of the first ones each. */
  readonly listed?: readonly string[];
}

export interface Preparation {
  readonly backend: BackendReport;
  readonly modelHash: string;
  readonly modelBytes: number;
  /** All layers that can be adapted, in the order of the network; the page plans them anew as rules are edited. */
  readonly layers: readonly Layer[];
  readonly planned: readonly PlannedLayer[];
  /** Names of constants that are trained as a whole: a new last layer. */
  readonly whole: readonly string[];
  readonly adapter?: AdapterReport;
  readonly parameters: { readonly stored: number; readonly effective: number; readonly base: number };
  /** Items of training data: images, texts, pairs, batches. */
  readonly images: number;
  readonly heldout: number;
  /** What the model will see. */
  readonly preview: DataPreview;
  /** Kinds of file that the writers themselves refused for this model, though the plan could be saved so. */
  readonly unsaveable: readonly Unsaveable[];
  /** Whether the run fits the device; null: it cannot be compiled as it is. */
  readonly fit: Fit | null;
  /** Absent: the weights are held as they are. */
  readonly rounded?: RoundedBase;
  /** Estimated from a timed probe of a few steps; null until one was made. */
  readonly secondsPerStep: number | null;
  /** All at once; a run with an error among them will not start. */
  readonly problems: readonly Remark[];
}

export type {
  Answer,
  DataPreview,
  JudgedExample,
  Metric,
  Picture,
  ReportTable,
  Samples,
  Share,
} from '#src/tasks/types.ts';
export type { RateChange } from '#src/optim/rates.ts';
export type { StepColumns } from '#src/training/steps.ts';
export type { Difference, Evaluation, MeansFrom, StepRecord } from '#src/training/types.ts';

export interface StoredCheckpoint {
  readonly step: number;
  readonly bytes: number;
  /** When it was saved, milliseconds since 1970. */
  readonly at: number;
}

export type RunEvent =
  | {
      readonly kind: 'phase';
      /** `fetching` counts bytes: of the runtime, the model and the data together. */
      readonly phase:
        | 'fetching'
        | 'loading'
        | 'preparing'
        | 'compiling'
        | 'sampling'
        | 'training'
        | 'evaluating'
        | 'saving';
      readonly done?: number;
      readonly total?: number;
    }
  | { readonly kind: 'steps'; readonly records: readonly StepRecord[]; readonly secondsLeft: number }
  | ({ readonly kind: 'samples'; readonly step: number } & Samples)
  | { readonly kind: 'evaluation'; readonly evaluation: Evaluation }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly bytes: number }
  /** The state after so many steps could not be saved; the run goes on. */
  | { readonly kind: 'unsaved'; readonly step: number; readonly problem: Problem }
  | ({ readonly kind: 'angles' } & Angles)
  | ({ readonly kind: 'rate' } & RateChange)
  | { readonly kind: 'warning'; readonly problem: Problem }
  /** A saved run goes on: all that it had shown stands in for what the page shows of it. Its samples and evaluations follow. */
  | {
      readonly kind: 'restored';
      readonly step: number;
      /** Its newest checkpoint, which is older than the state that it goes on from where storing failed; null: there is none. */
      readonly stored: StoredCheckpoint | null;
      readonly history: StepColumns;
      readonly angles: Angles | null;
      readonly warnings: readonly Problem[];
      readonly rates: readonly RateChange[];
    };

/** How far the layers are turned, in plan order, degrees. */
export interface Angles {
  readonly step: number;
  readonly mean: readonly number[];
  readonly largest: readonly number[];
}

/** What is known of a run that was saved, or began. */
export type RunSummary = RunHeader;
export type { SavedStep } from '#src/store/runReader.ts';

export interface RunResult {
  readonly id: string;
  readonly outcome: 'finished' | 'stopped' | 'paused';
  readonly step: number;
  readonly history: StepColumns;
  readonly evaluations: readonly Evaluation[];
  /** What computed it, by step: several where it went on with another device, thread count or version. */
  readonly means: readonly MeansFrom[];
  /** Of the rotations as they are now. */
  readonly orthogonality?: Orthogonality;
  readonly backend: BackendReport;
  readonly placement: PlacementReport;
  readonly timings: Readonly<Record<string, number>>;
  readonly memory: { readonly weights: number; readonly state: number };
}

export interface SampleRequest {
  readonly prompts: readonly string[];
  /** The place of each in the job's list, so that it is drawn as on the wall; absent: as they stand. */
  readonly places?: readonly number[];
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  /** 0: untouched, 1: as trained. */
  readonly strength: number;
}

/** Pictures of the data, to be looked at. */
export interface PicturesRequest {
  readonly source: Source;
  readonly paths: readonly string[];
}

/** Things that a person tries the adapted model with. */
export interface AskRequest {
  /** Pictures or arrays. */
  readonly given?: Source | null;
  readonly texts?: readonly string[];
  /** Of what is drawn by chance; absent: 0. */
  readonly seed?: number;
  /** 0: untouched, 1: as trained. */
  readonly strengths: readonly number[];
}

/** What the model says at one strength. */
export interface Said {
  readonly strength: number;
  /** By picture or text, in one order at all strengths. */
  readonly items: readonly Answer[];
  /** The outputs for arrays. */
  readonly arrays?: readonly {
    readonly name: string;
    readonly type: string;
    readonly shape: readonly number[];
  }[];
  /** The same as a file of NumPy's. */
  readonly npz?: Uint8Array;
}

export interface ExportedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly layers: number;
  /** What this kind of file cannot hold, in plain sentences; empty: nothing is lost. */
  readonly losses: readonly string[];
}

/** What the training session answers. */
export interface SessionApi {
  device(prefer: BackendKind | 'auto'): Promise<BackendReport>;
  /**
   * Looks at every ONNX file of a source: no device is needed. The same source with other sizes is not read again.
   */
  inspect(source: Source, look?: Look): Promise<Outcome<Inspection>>;
  /** Loads model and data, plans the layers, lists all problems; with `probe`, times two steps. */
  prepare(
    request: JobRequest,
    probe: boolean,
    onProgress?: (progress: PrepareProgress) => void,
  ): Promise<Outcome<Preparation>>;
  /** Times the frozen model's pass and a training step, in turn. What the steps learn is thrown away. A preparation, which can be cancelled. */
  measure(request: JobRequest, onProgress?: (progress: PrepareProgress) => void): Promise<Outcome<Speed>>;
  /** Ends a preparation that is going on; its outcome is 'cancelled'. */
  cancelPreparation(): Promise<void>;
  /** Prepared data that are kept in this browser, last used first. */
  keptData(): Promise<Outcome<readonly KeptSet[]>>;
  /** All of it as one archive: pictures as PNG, what was encoded as safetensors. */
  exportKept(name: string): Promise<Outcome<{ readonly name: string; readonly blob: Blob }>>;
  removeKept(name: string): Promise<Outcome<null>>;
  /**
   * Runs to the end, a stop or a pause. It is listed from its beginning on, and with how it ends.
   * @param resume continues the checkpoint of that run
   * @param id of the new run, which no other has; left out: one is made
   * @param note a warning that the run begins with
   */
  start(
    request: JobRequest,
    onEvent: (event: RunEvent) => void,
    resume?: string,
    id?: string,
    note?: Problem,
  ): Promise<Outcome<RunResult>>;
  /**
   * In what a saved run would go on otherwise than it was computed so far, so that its last digits would differ; none: byte for byte as if never cut.
   */
  differences(request: JobRequest, id: string): Promise<Outcome<readonly Difference[]>>;
  /** Saves a checkpoint and lets go; start(…, resume) goes on. */
  pause(): Promise<void>;
  /** Saves the last run's newest state once more, which could not be saved before. */
  saveAgain(): Promise<Outcome<StoredCheckpoint>>;
  /** Ends early and keeps what was learned. */
  stop(): Promise<void>;
  sampleNow(): Promise<void>;
  /**
   * Multiplies the schedule's learning rate from the next step on: of the run that goes on, or of a saved one once it goes on. 1 gives the schedule back.
   */
  changeRate(id: string, factor: number): Promise<Outcome<RateChange>>;
  /** What the current adapter makes of prompts (also after the run). */
  sample(request: SampleRequest): Promise<Outcome<Samples>>;
  /** What the current adapter makes of a person's own pictures, texts or arrays (also after the run), by strength. */
  ask(request: AskRequest): Promise<Outcome<readonly Said[]>>;
  /** Small pictures of these files, without the device; null: one cannot be had. */
  pictures(request: PicturesRequest): Promise<Outcome<readonly (Picture | null)[]>>;
  /** The adapter as a file of that kind; several files come as one zip. */
  exportAdapter(format: AdapterFormat): Promise<Outcome<ExportedFile>>;
  /** Loads an adapter on a model so that `sample` and `exportAdapter` use it, with no training. */
  openAdapter(request: JobRequest & { readonly adapter: Source }): Promise<Outcome<AdapterReport>>;
  /** Graph, placement, timings and memory of the present or last run, or of what was made ready; null: of nothing. Answers while a run goes on. */
  debug(): Promise<Outcome<DebugFigures | null>>;
}

/** A saved run, as far as a page can show it. */
export interface SavedRun {
  readonly summary: RunSummary;
  readonly history: StepColumns;
  readonly evaluations: readonly Evaluation[];
  /** The first row of samples and as many of the last as were kept. */
  readonly samples: readonly ({ readonly step: number } & Samples)[];
  /** All layers of the model that can be adapted, and those that were. */
  readonly layers: readonly Layer[];
  readonly planned: readonly PlannedLayer[];
  /** Names of constants that were trained as a whole. */
  readonly whole: readonly string[];
  /** Names of the classes, where the model tells classes apart. */
  readonly classes: readonly string[];
  /** Kinds of file that the adapter cannot be saved as, as far as that was looked into. */
  readonly unsaveable: readonly Unsaveable[];
  readonly angles: Angles | null;
  /** All that was said on the way. */
  readonly warnings: readonly Problem[];
  /** null: an older Rotune saved it, which did not write down where it was made. 'paused': it can go on. */
  readonly result: RunResult | null;
  /** Of the rotations as they are in the newest checkpoint. */
  readonly orthogonality?: Orthogonality;
  /** The newest checkpoint is damaged; this is the one before it. */
  readonly fellBack: boolean;
}

export interface ExportedRuns {
  readonly name: string;
  readonly blob: Blob;
  /** Runs that could not be read, each with why. */
  readonly left: readonly { readonly id: string; readonly name: string; readonly reason: string }[];
}

export interface ImportedRuns {
  /** What is listed now that was not before. */
  readonly imported: readonly RunSummary[];
  /** Runs that are here already, the very same. */
  readonly skipped: number;
}

/** What the training session answers about saved runs. */
export interface LibraryApi {
  /** All that began here, newest first, but for those that were removed. None where nothing can be stored. */
  runs(): Promise<readonly RunSummary[]>;
  /**
   * Loads a saved run, so that `sample` and `exportAdapter` use it without training.
   * @param request where its model is; null: not at hand, so that it can be looked at and its rotations exported, but not be drawn with unless its model is
   *   built in
   */
  openRun(request: JobRequest | null, id: string): Promise<Outcome<SavedRun>>;
  /** The same, and the run counts as over from now on: what it learned so far is kept, without training on. */
  keepRun(request: JobRequest | null, id: string): Promise<Outcome<SavedRun>>;
  /** The steps of a run that can be gone back to, the newest first. */
  savedSteps(id: string): Promise<Outcome<readonly SavedStep[]>>;
  /** A new, paused run that is as that one was after so many steps; that one stays as it is. */
  branchRun(id: string, step: number): Promise<Outcome<RunSummary>>;
  /** An empty name gives it back the one that it had at first. */
  renameRun(id: string, name: string): Promise<Outcome<null>>;
  /** Takes a run from the list. It can be put back until the page is opened anew. */
  removeRun(id: string): Promise<Outcome<null>>;
  restoreRun(id: string): Promise<Outcome<null>>;
  /** Removes a run for good, at once. */
  discard(id: string): Promise<void>;
  /** The newest checkpoints of these runs as one archive. */
  exportRuns(ids: readonly string[]): Promise<Outcome<ExportedRuns>>;
  /** Takes in all runs of such an archive, or none. A run whose id another one has here gets a new one. */
  importRuns(archive: Blob): Promise<Outcome<ImportedRuns>>;
  /** Drops all but the newest checkpoint of each run; gives the bytes freed. */
  freeCheckpoints(): Promise<Outcome<number>>;
}

/** What this page keeps in the browser, bytes. */
export interface StorageReport {
  readonly runs: number;
  /** Data as models see them, which can be made again. */
  readonly prepared: number;
  /** Downloaded models. */
  readonly downloads: number;
  /** Files of the page itself, for use without a network; null: the browser does not say. */
  readonly app: number | null;
  /** Files of the user's own that runs were started from. */
  readonly given: number;
  /** All that the browser counts, and what it would allow; null: it does not say. */
  readonly used: number | null;
  readonly quota: number | null;
  /** Whether the browser promises to keep it; null: it cannot say. */
  readonly persisted: boolean | null;
}

/** What the page answers itself: no worker is opened for it. */
export interface StorageApi {
  storage(): Promise<StorageReport>;
}

/** All that the page can ask of the worker and of the browser's storage. */
export interface TrainerApi extends SessionApi, LibraryApi, DownloadApi, StorageApi {}

export type { DebugFigures, StageFigures, StepFigures } from './trainer/debug/types.ts';

export type { DrawSvg, StartSign };

export interface StartOptions {
  /** Left out: as many as the device has, up to four. */
  readonly threads?: number;
  /** A sentence that goes before the reason for the backend. */
  readonly note?: string;
  /** When the page was opened, milliseconds since 1970. */
  readonly since?: number;
}

/** All that the worker answers: what the page's parts ask, and what the page lends it at the start. */
export interface WorkerApi extends SessionApi, LibraryApi, StoredApi {
  lendSvg(draw: DrawSvg): Promise<void>;
  /** How the runtime is to be started, before anything is asked that needs it; `tell` hears how that goes. */
  watchStart(options: StartOptions, tell: (sign: StartSign) => void): Promise<void>;
  /**
   * Beats from now on, and holds a lock of that name as long as it lives; resolves when it has it.
   * @param beat hears how much longer than usual the next beat may take, milliseconds
   */
  watch(beat: Beat, lock: string): Promise<void>;
}
