/** @file A job: everything that a run is made of, as the TOML file, the share link and the page hold it. */
import type { InputValues } from '#src/onnx/givenInputs.ts';
import type { Plan } from '#src/oft/types.ts';

export interface Job {
  readonly version: 1;
  /** A folder of src/tasks. */
  readonly task: string;
  /** The task's own table, checked by its schema: see the task's info.ts. */
  readonly options: Readonly<Record<string, unknown>>;
  /** "builtin:emoji", or a folder (relative to the job file; in a link: only built-ins can travel). */
  readonly model: string;
  /** An adapter file or folder that the run starts from; absent: the untouched model. It cannot travel in a link. */
  readonly adapter?: string;
  /** Values of inputs of the model that are neither data nor sizes, by name (a sampling rate, a flag); absent: none. */
  readonly inputs?: InputValues;
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
    readonly learningRate: number;
    readonly schedule: 'constant' | 'linear' | 'cosine';
    readonly warmup: number;
    /** Where linear and cosine end, as a share of learningRate. */
    readonly finalShare: number;
    /** Global norm; 0: off. */
    readonly clip: number;
    readonly weightDecay: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    /** Min-SNR gamma; 0: off. */
    readonly minSnr: number;
    /** Learning rate × 1/(2·sqrt(b−1)) per layer, so that one rate fits all block sizes (OneTrainer #1315). */
    readonly blockwiseRate: boolean;
    /** Run parts of the model twice instead of keeping their results: slower, with less memory. */
    readonly recompute: boolean;
    /** Checkpoint at least every so many steps and seconds. */
    readonly checkpointSteps: number;
    readonly checkpointSeconds: number;
  };
  readonly plan: Plan;
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
