/** @file What the debug view (`?debug`) asks of the worker. */
import type { BackendReport, PlacementReport } from '#src/runtime/types.ts';

/** One session of the training step. */
export interface StageFigures {
  readonly name: string;
  readonly nodes: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Constants of the graph, and how many of them are uploaded apart from it. */
  readonly constants: { readonly count: number; readonly bytes: number; readonly uploaded: number };
  /** Bytes of results alive at once, at most, estimated. */
  readonly activations: number;
}

/** The training step as it is compiled. */
export interface StepFigures {
  readonly stages: readonly StageFigures[];
  /** Nodes by operator, most first. */
  readonly operators: readonly { readonly op: string; readonly nodes: number }[];
  readonly memory: { readonly weights: number; readonly state: number; readonly activations: number };
}

export interface DebugFigures {
  readonly backend: BackendReport;
  /** null: there is no step, or it cannot be compiled. */
  readonly step: StepFigures | null;
  /** Of all programs that stand; after a run, of those that stood at its end. */
  readonly placement: PlacementReport;
  /** Seconds by section, those going on included. */
  readonly timings: Readonly<Record<string, number>>;
  readonly measured: {
    /** Device bytes of weights and state. */
    readonly weights: number;
    readonly state: number;
    /** Of WebAssembly; null: not known. */
    readonly heap: number | null;
  };
}
