/** @file What a task is: data → feeds, the loss graph, metrics and samples. One folder per task; nothing else knows of it. */
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Model } from '#src/onnx/model.ts';
import type { Tensor, TypedArray } from '#src/onnx/tensor.ts';
import type { Layer } from '#src/oft/types.ts';
import type { LossSum } from '#src/optim/loss.ts';
import type { FileSet } from './files.ts';
import type { ChatsSummary } from './language/chats/summary.ts';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, TypedArray>>;

/** Runs a compiled graph once: all of its inputs in, all of its outputs back. */
export type RunGraph = (feeds: Tensors) => Promise<Tensors>;

/** Throwing from it ends the work (a pause, a stop). */
export type Tell = (done: number, total: number) => void;

/** What a task reads of a job. `options` is the task's own table, checked by its own schema. */
export interface TaskJob<O = unknown> {
  readonly task: string;
  readonly options: O;
  readonly data: {
    /** "builtin:high-contrast/train", or a folder. */
    readonly train: string;
    readonly heldout: string | null;
    /** Share of the training data held out by seed where no held-out data are given. */
    readonly split: number;
    /** Share of captions replaced by the empty one. */
    readonly captionDropout: number;
    /** Mirror half of the images. */
    readonly flip: boolean;
  };
  readonly train: {
    readonly steps: number;
    readonly batch: number;
    readonly accumulate: number;
    readonly seed: number;
    /** Min-SNR gamma; 0: off. */
    readonly minSnr: number;
  };
  readonly sample: {
    readonly prompts: readonly string[];
    readonly negative: string;
    readonly steps: number;
    readonly guidance: number;
    readonly seed: number;
    /** A row of samples every so many steps; 0: only before and after. */
    readonly every: number;
  };
}

/** One ONNX file, decoded. Large weights may be byte ranges, whose location is the file's path in the FileSet. */
export interface ModelFile {
  /** Path in the FileSet. */
  readonly path: string;
  readonly model: Model;
  /** SHA-256 identity, hexadecimal. */
  readonly hash: string;
  /** Of the file and its external data. */
  readonly bytes: number;
}

/** Decodes an ONNX file of the set. Throws ModelError or DataError that names the file. */
export type OpenModel = (path: string) => Promise<ModelFile>;

/** A decoded image, laid over white. */
export interface RawImage {
  readonly width: number;
  readonly height: number;
  /** Row-major RGBA, 0–255, alpha 255. */
  readonly rgba: Uint8ClampedArray;
}

/** What a picture is brought to. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  /** How, where its shape is another one (src/tasks/images/fit.ts); absent: its centre is cut out. */
  readonly fit?: 'crop' | 'stretch' | 'pad' | 'shortest';
  /** Pixels that the shorter side is scaled to before the centre is cut out, for "shortest". */
  readonly shortest?: number;
  /** Pillow's name of the kernel; absent: bicubic. */
  readonly filter?: 'bicubic' | 'bilinear' | 'lanczos' | 'hamming' | 'box';
}

/** What the worker lends to a task. */
export interface TaskHost {
  /** Numbers made on different backends differ in their last digits. */
  readonly backend: 'webgpu' | 'wasm';
  /** Bytes for weights, state and results together, and of the largest tensor; null: nobody says. Absent: as if nobody said. */
  readonly memory?: { readonly bytes: number | null; readonly largest: number | null };
  /**
   * An untrained graph (text encoder, VAE) on the device, compiled when it first runs and kept while it is the last of its slot.
   * @param slot one program stands per slot
   * @param key names the graph: equal keys, equal graphs
   * @param keepAs what its results are made from, for people: they are kept beyond the run, by their feeds. Absent: they are not
   */
  frozen(slot: string, key: string, graph: () => Graph, keepAs?: string): RunGraph;
  /**
   * Decodes an image, turned as the camera noted, over white. With a size: brought to it; an image of that size keeps its exact values. Throws with a
   * reason if the bytes are no image, NotDecoded (src/tasks/images/foreign.ts) if they are one of a kind that is not decoded.
   */
  decodeImage(bytes: Uint8Array, path: string, size?: PictureSize): Promise<RawImage>;
}

/** The trained model as it is now: any graph with the planned layers, its layers turned. Compiled when first asked for; the last one of a slot is kept. */
export interface Adapted {
  run(slot: string, graph: Graph): Promise<RunGraph>;
}

/** A change of the job that mends a problem, as a button offers it. */
export interface Mend {
  /** "Do not mirror" */
  readonly words: string;
  readonly data?: { readonly flip: boolean };
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Problems of one kind, which are shown as one, with a cure for all of them. */
export interface ProblemGroup {
  /** "no-caption": what a cure is found by. */
  readonly kind: string;
  /** "11 images have no caption." */
  readonly words: string;
  /** File, row, caption … of each. */
  readonly items: readonly string[];
}

/** Something wrong with model, data or options. Errors keep a run from starting. */
export interface TaskProblem {
  readonly severity: 'error' | 'warning';
  /** File, row, caption … */
  readonly item: string;
  readonly message: string;
  readonly cure?: string;
  readonly mend?: Mend;
  readonly group?: ProblemGroup;
}

/** RGB, row-major, 0–255, alpha 255: what ImageData takes. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** A row of the wall: by prompt (or fixed input), pictures or texts or both. */
export interface Samples {
  readonly prompts: readonly string[];
  /** What is to be said of each prompt, such as words that the model does not know; null: nothing. Left out: nothing of any. */
  readonly notes?: readonly (string | null)[];
  readonly pictures: readonly Picture[];
  /** What the model says of each prompt or input: generated text, or a label with its share. */
  readonly texts?: readonly string[];
}

export interface Metric {
  /** "accuracy", "perplexity", "F1", "saturation" … */
  readonly name: string;
  readonly value: number;
  readonly unit: 'share' | 'number';
  readonly better: 'higher' | 'lower' | 'neither';
}

/** A small table beside the figures: the confusion table, what the model gets wrong. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One held-out example of a classifier. */
export interface JudgedExample {
  /** The picture's path; the text, cut. */
  readonly name: string;
  /** Class names; it is right where they are equal. */
  readonly is: string;
  readonly says: string;
  /** Of what it says. */
  readonly share: number;
}

export interface TaskEvaluation {
  /** Mean held-out loss; null without held-out data. */
  readonly loss: number | null;
  readonly metrics: readonly Metric[];
  readonly tables?: readonly ReportTable[];
  /** All held-out examples, the wrong ones first. */
  readonly examples?: readonly JudgedExample[];
}

/** What the model will see, before any training. */
export interface DataPreview {
  /** "48 images", "3 classes: cat 20, dog 18, owl 10" … in plain figures. */
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  /** The first few as the model gets them. */
  readonly items: readonly { readonly name: string; readonly picture?: Picture; readonly text?: string }[];
  /** Who says what in exports of chats; absent: the data are others. */
  readonly chats?: ChatsSummary;
}

/** A static graph to train, and the loss on top of it. */
export interface TrainedGraph {
  readonly graph: Graph;
  /** Layers that can be adapted, with the part they belong to. */
  readonly layers: readonly Layer[];
  /** Emits the loss as sum and count. Inputs that it adds to the builder become feeds. */
  readonly loss: (g: Builder, outputs: ReadonlyMap<string, Value>) => LossSum;
  /** Constants of the graph that are trained as a whole (a new head), by name. */
  readonly whole?: readonly string[];
}

/** Data and model together, ready to be trained. */
export interface PreparedTask {
  /**
   * At the job's batch. Throws GraphError or ModelError in words.
   * @param variant which of the shapes of micro-batches; layers and their order are the same in all
   */
  training(variant?: number): TrainedGraph;
  /** The shape of a step's micro-batches, from 0, by the seed and the step alone; asked for after `warm`. Absent: there is one shape. */
  variant?(step: number): number;
  readonly problems: readonly TaskProblem[];
  /** Names of the classes, where the model tells classes apart: a merged model's file says them. */
  readonly classes?: readonly string[];
  /** Loss of a model that only guesses: ln of the number of classes. Absent: there are none. */
  readonly guess?: number | null;
  readonly counts: { readonly train: number; readonly heldout: number };
  readonly preview: DataPreview;
  /** SHA-256 over the training data as the model sees them, hexadecimal: a run goes on with the same data only. */
  readonly dataHash: string;
  /** Makes what needs the device once (embeddings, latents); called before feeds, evaluate and samples, cheap when nothing is new. */
  warm(host: TaskHost, tell?: Tell): Promise<void>;
  /**
   * Feeds of micro-step `micro` of step `step` (0-based). What an example is and what is done to it follow from the seed and its place in the run alone, so that
   * a step's examples are the same however they are cut into micro-batches. Data too large to be held are read here.
   */
  feeds(step: number, micro: number): Tensors | Promise<Tensors>;
  evaluate(adapted: Adapted, host: TaskHost, tell: Tell): Promise<TaskEvaluation>;
  /** The wall's row: fixed prompts or inputs and seeds. */
  samples(adapted: Adapted, host: TaskHost, tell: Tell): Promise<Samples & { metrics?: readonly Metric[] }>;
}

/** What a person asks a tuned model on the result page. */
export interface SampleWish {
  readonly prompts: readonly string[];
  /** The place of each in the list that it was drawn from before: chance differs by place. Absent: as they stand. */
  readonly places?: readonly number[];
  readonly negative: string;
  readonly steps: number;
  readonly guidance: number;
  readonly seed: number;
  /** Names of the classes that the adapter tells apart; absent: the model's own, or none. */
  readonly classes?: readonly string[] | undefined;
  /** The adapter has a head of its own for these classes. */
  readonly newHead?: boolean;
}

/** What a person gives the model to try. */
export interface Question {
  /** Pictures or arrays; null: none. */
  readonly files: FileSet | null;
  readonly texts: readonly string[];
  readonly seed: number;
  /** As in a SampleWish. */
  readonly classes?: readonly string[] | undefined;
  readonly newHead?: boolean;
}

export interface Share {
  /** Of a class. */
  readonly name: string;
  /** 0 to 1. */
  readonly share: number;
}

/** What the model makes of one picture or text. */
export interface Answer {
  /** The picture's path, the text. */
  readonly name: string;
  /** As the model sees it. */
  readonly picture?: Picture;
  /** The likeliest first. */
  readonly shares?: readonly Share[];
  readonly text?: string;
  readonly made?: Picture;
  /** Why it could not be read, in the middle of a sentence; then nothing else is said of it. */
  readonly unread?: string;
}

export interface Answers {
  readonly items: readonly Answer[];
  /** The model's outputs by name, where arrays were given: rows as in the file. */
  readonly arrays?: ReadonlyMap<string, Tensor>;
}

/** A model opened for a task, before there are data. */
export interface TaskModel {
  /** SHA-256 of what is trained. */
  readonly hash: string;
  /** Of all model files read. */
  readonly bytes: number;
  /** Numbers in the weights of what is trained. */
  readonly weights: number;
  /** ONNX files that hold trained layers, by the layers' part ('' for a single model): what a merged export rewrites. */
  readonly parts: readonly { readonly part: string; readonly file: ModelFile }[];
  /** All that can be adapted, without data at hand (an adapter is opened with it). */
  layers(): readonly Layer[];
  /** Everything wrong with the data is listed, not thrown; only what leaves nothing to list is. */
  prepare(train: FileSet, heldout: FileSet | null, host: TaskHost, tell?: Tell): Promise<PreparedTask>;
  /** Answers prompts, where the task has prompts. */
  sample?(wish: SampleWish, adapted: Adapted, host: TaskHost, tell: Tell): Promise<Samples>;
  /** Answers what a person gives it, read as training data are but never varied. Throws DataError where nothing of it can be read. */
  ask?(question: Question, adapted: Adapted, host: TaskHost, tell: Tell): Promise<Answers>;
}

export interface Task {
  /** As in job files. */
  readonly id: string;
  /** Reads the model and what lies beside it. Throws ModelError or DataError: what is missing, and the way out. */
  open(files: FileSet, open: OpenModel, job: TaskJob): Promise<TaskModel>;
}
