/** @file The plan: which layers are adapted, and how. First matching rule wins. */

/** How a layer's output width is cut into diagonal blocks. dim: LyCORIS's factorisation; count: the OFT paper's r; size: b. */
export type BlockChoice = { readonly dim: number } | { readonly count: number } | { readonly size: number };

export interface Match {
  /** Glob over the layer's dotted module path; `*` matches any run of characters. */
  readonly name?: string;
  readonly kind?: 'linear' | 'conv';
  /** Spatial kernel; one number stands for a square. */
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  /** A number, or a comparison such as ">=320". */
  readonly in?: number | string;
  readonly out?: number | string;
}

export interface LayerSettings {
  readonly blocks: BlockChoice;
  /** COFT: LyCORIS's `constraint`; ‖Q‖_F of the layer is clamped to constraint × out. 0: off. */
  readonly constraint: number;
  /** One learned scale per output row (LyCORIS `rescaled`). */
  readonly rescale: boolean;
  /** Multiplies the learning rate of this layer. */
  readonly lrScale: number;
}

export interface Rule extends Partial<LayerSettings> {
  readonly match: Match;
  readonly skip?: boolean;
}

export interface Plan extends LayerSettings {
  readonly side: 'output';
  readonly rules: readonly Rule[];
}

/** A layer that can be adapted. */
export interface Layer {
  /** Dotted module path, as in torch: `down_blocks.0.attentions.0.proj_in`. */
  readonly path: string;
  readonly kind: 'linear' | 'conv';
  /** The nodes that multiply by the weight (several where it is shared), and the name of the initializer behind it. */
  readonly nodes: readonly string[];
  readonly initializer: string;
  readonly op: 'MatMul' | 'Gemm' | 'Conv';
  readonly in: number;
  readonly out: number;
  /** Spatial kernel, empty for linear layers. */
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly groups: number;
  /** The nodes see the weight as (in, out): its last axis is the output. */
  readonly transposed: boolean;
}

/** What became of a layer under a plan. */
export interface PlannedLayer extends LayerSettings {
  readonly layer: Layer;
  /** Index of the rule that matched; null: the plan's defaults. */
  readonly rule: number | null;
  /** Number of blocks n and block size b; n·b = out. */
  readonly count: number;
  readonly size: number;
  /** Stored numbers: n·b² (+ out with rescale). */
  readonly stored: number;
  /** Degrees of freedom: n·b(b−1)/2 (+ out with rescale). */
  readonly effective: number;
}
