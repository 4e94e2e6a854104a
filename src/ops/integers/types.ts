/** @file What stands for real numbers in a file that computes on whole ones, and what becomes of rounding. */
import type { DType } from '#src/onnx/model.ts';

/**
 * What becomes of the rounding of activations. drop: they are clipped to their range, as they are where a ReLU was folded into it, and not rounded.
 * keep: they are rounded, and gradients pass as if they were not (the straight-through estimator).
 */
export type Rounding = 'drop' | 'keep';

export const roundings: readonly Rounding[] = ['drop', 'keep'];

/** Whole numbers n that stand for real ones: n = real/scale + zero, unrounded. */
export interface StandIn {
  /** Name of the float value. */
  readonly real: string;
  /** Names of the scale and of the zero point; '' is zero. */
  readonly scale: string;
  readonly zero: string;
  readonly type: DType;
}

/** What a run says of a model that rounds activations to whole numbers. */
export const roundingWords: Readonly<Record<Rounding, { readonly message: string; readonly cure: string }>> =
  {
    drop: {
      message:
        'The model rounds activations to whole numbers, which training leaves out: it computes with the real numbers that they stand for, clipped to the same range. A merged model is in float, too.',
      cure: 'To train with the rounding, set rounding = "keep" in a job file.',
    },
    keep: {
      message:
        'The model rounds activations to whole numbers, and so does training; gradients pass as if nothing were rounded (straight-through estimator).',
      cure: 'To train without the rounding, set rounding = "drop" in a job file.',
    },
  };
