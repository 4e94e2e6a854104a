/** @file What goes into an adapter's files and what comes out of them. */
import type { LayerParameters, WholeValues } from '#src/oft/rotation/parameters.ts';
import type { Layer } from '#src/oft/types.ts';
import type { Model } from '#src/onnx/model.ts';
import type { LycorisMeta } from './lycoris/lycorisMeta.ts';

export interface WrittenFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface MergeOptions {
  /** As decoded, with its external data loaded. */
  readonly model: Model;
  /** Default 1. */
  readonly strength?: number;
  /** What weights are stored as; default float32. */
  readonly precision?: 'float32' | 'float16';
  /** Weights in a file of their own beside the model; without it, only beyond 1 GB. */
  readonly external?: boolean;
  /** Names of the classes, for the file's metadata. */
  readonly classes?: readonly string[];
}

export interface AdapterInput {
  readonly layers: readonly LayerParameters[];
  /** Weights that were trained as they are: a new head. */
  readonly whole?: readonly WholeValues[];
  readonly meta?: LycorisMeta;
  /** The model's layers that are not adapted. */
  readonly others?: readonly Layer[];
  /** For `diff`: the base weight in torch's order. */
  readonly weight?: (layer: Layer) => Float32Array;
  /** For `onnx`. */
  readonly model?: MergeOptions;
}

export interface WrittenAdapter {
  readonly files: readonly WrittenFile[];
  /** What the file cannot carry, as plain sentences. */
  readonly losses: readonly string[];
  /** Layers in the file. */
  readonly layers: number;
}

/** What a file holds for a model. */
export interface ReadAdapter {
  /** In the order of the layers asked for, planned as the file says. */
  readonly layers: readonly LayerParameters[];
  /** `.diff` only: W′ − W by layer path, in torch's order. */
  readonly differences?: ReadonlyMap<string, Float32Array>;
  /** Keys that a complete file would have. */
  readonly missing: readonly string[];
  /** Keys that belong to no layer of this model. */
  readonly unexpected: readonly string[];
  /** Plain sentences: what was converted, what other tools read otherwise. */
  readonly notes: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
}
