/** @file What a run reports, step by step. */
import type { JudgedExample, Metric, ReportTable } from '#src/tasks/types.ts';

export interface StepRecord {
  /** 0-based: the record with step k is of the update that made the state k + 1 updates old. */
  readonly step: number;
  /** Mean over the micro-steps, before the update. */
  readonly loss: number;
  readonly learningRate: number;
  /** Global norm before clipping. */
  readonly gradNorm: number;
  readonly ms: number;
  /** The update was left out because something was not finite. */
  readonly skipped?: boolean;
  /** max |I − (I − Q)M| of the exact inverses before the update. */
  readonly residual?: number;
}

/** The largest |CᵀC − I| over the rotations as the device computes them, by transform; null: no block is made that way. */
export interface Orthogonality {
  readonly exact: number | null;
  /** Cayley–Neumann. */
  readonly series: number | null;
}

export interface Evaluation {
  /** Updates made so far. */
  readonly step: number;
  readonly heldoutLoss: number | null;
  /** Mean of (max − min over RGB)/2 of the sampled pictures in [−1, 1]. */
  readonly saturation: number | null;
  /** Absent in runs of older versions. */
  readonly metrics?: readonly Metric[];
  readonly tables?: readonly ReportTable[];
  /** Of classifiers: all held-out examples, the wrong ones first. Of a run’s judgings the newest alone keeps them (`evaluations.ts`). */
  readonly examples?: readonly JudgedExample[];
  readonly orthogonality?: Orthogonality;
}

/** What a run is computed with; null: an older version did not write it down. */
export interface Means {
  readonly backend: string;
  /** Name of the graphics device; null: none computes, or the browser does not say. */
  readonly adapter: string | null;
  /** Of WebAssembly, which adds up in another order with another number. */
  readonly threads: number | null;
  /** Parts of the model are computed twice instead of kept. */
  readonly recompute: boolean;
  /** Versions of onnxruntime-web and of Rotune. */
  readonly runtime: string | null;
  readonly rotune: string | null;
}

/** From so many updates on. */
export interface MeansFrom extends Means {
  readonly step: number;
}

/** In what a run would go on otherwise than it was computed so far. */
export interface Difference {
  readonly what: keyof Means;
  readonly was: string;
  readonly is: string;
}
