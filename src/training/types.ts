/** @file What a run reports, step by step. */

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
}

export interface Evaluation {
  /** Updates made so far. */
  readonly step: number;
  readonly heldoutLoss: number | null;
  /** Mean of (max − min over RGB)/2 of the sampled pictures in [−1, 1]. */
  readonly saturation: number | null;
}
