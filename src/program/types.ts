/** @file A Program is plain data: what the runtime needs to run a job, with no runtime in it. */
import type { Graph } from '#src/graph/types.ts';
import type { DType } from '#src/onnx/model.ts';

/** A tensor that lives on the device from run to run. `output` is the stage output that becomes its next value. */
export interface StateTensor {
  /** Graph input name. */
  readonly name: string;
  /** Graph output name with the next value. */
  readonly output: string;
  readonly type: 'float32';
  readonly shape: readonly number[];
  readonly init: Float32Array;
}

export interface Feed {
  /** Key among what a run is fed with. */
  readonly name: string;
  readonly type: DType;
  readonly shape: readonly number[];
  /** Graph input, where it is called otherwise. */
  readonly input?: string;
  /** What the program or its loss calls it; absent: it is an input of the model. */
  readonly own?: string;
}

/** One ONNX graph that becomes one session. */
export interface Stage {
  readonly name: string;
  readonly graph: Graph;
  /** Initializers of `graph` that the session gets as run inputs (device buffers, uploaded once, shared between programs by `Constant` identity). */
  readonly weights: readonly string[];
}

export interface Program {
  readonly stages: readonly Stage[];
  readonly state: readonly StateTensor[];
  readonly feeds: readonly Feed[];
  /** Outputs that the host may read after a run (loss, gradient norm, residual, image …). */
  readonly reads: readonly string[];
}
