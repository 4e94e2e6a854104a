/** @file A job: everything that a run is made of, as the TOML file, the share link and the page hold it. */
import type { InputValues } from '#src/onnx/givenInputs.ts';
import type { Plan } from '#src/oft/types.ts';
import type { TaskJob } from '#src/tasks/types.ts';

export type Quantise = 'no' | 'int8' | 'int4';

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
  /** Activations that the model rounds to whole numbers are rounded in training too; absent: they are not. */
  readonly rounding?: 'keep';
  readonly data: TaskJob['data'];
  readonly train: TaskJob['train'] & {
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
    /** Learning rate × 1/(2·sqrt(b−1)) per layer, so that one rate fits all block sizes (OneTrainer #1315). */
    readonly blockwiseRate: boolean;
    /** Run parts of the model twice instead of keeping their results: slower, with less memory. */
    readonly recompute: boolean;
    /** Whether float weights are held in fewer bits while they are trained on; files are made of the weights as they are. */
    readonly quantise: Quantise;
    /** Checkpoint at least every so many steps and seconds. */
    readonly checkpointSteps: number;
    readonly checkpointSeconds: number;
  };
  readonly plan: Plan;
  readonly sample: TaskJob['sample'] & {
    /** Of the run's time, that rows on the way take at most, but for the first few. */
    readonly share: number;
  };
}
