/** @file The plan: which layers are adapted, and how. First matching rule wins. */

/** Where the rotation acts. output: LyCORIS, W′ = CᵀW by blocks of output rows. input: PEFT and OFTv2, W′ = W·Rᵀ by blocks of the fan-in. */
export type Side = 'output' | 'input';

/** diag: block-diagonal (Diag-OFT, OFTv2); boft: butterfly stages (BOFT, 2311.06243), output side only. */
export type Algorithm = 'diag' | 'boft';

/**
 * What is trained of Q. full: a b×b matrix B with Q = B − Bᵀ (LyCORIS); triangle: the b(b−1)/2 numbers above the diagonal (PEFT).
 * Gradient norms differ by √2 and Adam's steps of Q by 2.
 */
export type Parameters = 'full' | 'triangle';

/**
 * Whose meaning the constraint c has. lycoris (also kohya, A1111): ‖Q‖_F over the layer ≤ c·out, differentiated through;
 * comfyui: ‖Q‖_F over the layer ≤ c; peft: each block's ‖Q‖_F ≤ c/√n (n = 1 if shared), stored numbers projected in place;
 * paper: the authors' code, each block's ‖Q‖_F ≤ c·b²/√n, projected in place.
 */
export type Clamp = 'lycoris' | 'comfyui' | 'peft' | 'paper';

/** How a layer's width is cut into diagonal blocks: exactly one of dim, count, size and per. */
export interface BlockChoice {
  /** LyCORIS: factorisation of the width (Diag-OFT) or its power-of-two one (BOFT). */
  readonly dim?: number;
  /** The OFT paper's r: number of blocks n. */
  readonly count?: number;
  /** Block size b. */
  readonly size?: number;
  /** Convolutions: one k²×k² rotation per input channel (input side). */
  readonly per?: 'channel';
  /** One rotation for all blocks of a layer (PEFT's block_share; with `per`, the paper's channel sharing). */
  readonly share?: boolean;
  /** BOFT's m; without it as many as LyCORIS takes, log₂n + 1. */
  readonly stages?: number;
  /** nearest: a count or size that does not divide the width becomes the nearest that does, reported. */
  readonly fit?: 'exact' | 'nearest';
  /** Caps the block size: the largest divisor at or below it is taken, reported. */
  readonly maxSize?: number;
  /** Caps the layer's stored numbers by smaller blocks, reported. */
  readonly maxParams?: number;
}

/** What the name tells of a layer's part in the network. */
export type Role =
  | 'query'
  | 'key'
  | 'value'
  | 'attention-out'
  | 'feed-forward'
  | 'residual-conv'
  | 'time-embedding'
  | 'projection'
  | 'sampling'
  | 'input'
  | 'head'
  | 'other';

export interface Match {
  /** Glob over the layer's dotted module path; `*` matches any run of characters. */
  readonly name?: string;
  /** Regular expression that must match somewhere in the path. */
  readonly regex?: string;
  readonly kind?: 'linear' | 'conv';
  /** Spatial kernel; one number stands for a square. */
  readonly kernel?: number;
  readonly stride?: number;
  /** A number, or a comparison such as ">1". */
  readonly groups?: number | string;
  readonly in?: number | string;
  readonly out?: number | string;
  /** Place among the model's layers in the order of the network, from 0; negative numbers count from the end. */
  readonly position?: number | string;
  readonly role?: Role;
  /** `unet`, `text_encoder`, …: the folder the layer's file lies in. */
  readonly part?: string;
}

export interface LayerSettings {
  readonly algorithm: Algorithm;
  readonly side: Side;
  readonly blocks: BlockChoice;
  readonly parameters: Parameters;
  /**
   * null: the exact Cayley transform; n: PEFT's Cayley–Neumann series with n terms. On the input side PEFT's two settings turn opposite
   * ways: R = C(−Q) exact, R ≈ C(Q) by the series [ran: golden/oft].
   */
  readonly neumannTerms: number | null;
  /** COFT; 0: off. */
  readonly constraint: number;
  readonly clamp: Clamp;
  /** One learned scale per output row (LyCORIS `rescaled`). */
  readonly rescale: boolean;
  /** Probability that a step leaves the whole layer untouched (LyCORIS module_dropout). */
  readonly moduleDropout: number;
  /** Probability that a step replaces a block by the identity (BOFT's multiplicative dropout). */
  readonly rankDropout: number;
  /** Multiplies the learning rate of this layer. */
  readonly lrScale: number;
}

export interface Rule extends Partial<LayerSettings> {
  readonly match: Match;
  readonly skip?: boolean;
}

/** The plan's own settings are those of layers that no rule matches, and of what rules leave open. */
export interface Plan extends LayerSettings {
  readonly rules: readonly Rule[];
  /** What stands before the names of the Python model's modules in the export; undefined: found by their structure; '': nothing. */
  readonly root?: string;
}

/**
 * A model's kind by the structure of its names. unet: diffusers' UNets; ldm: the same under Stable Diffusion's original names; transformer:
 * diffusers' diffusion transformers (SD3, Flux); dit: their original names; clip: CLIP's text encoder; t5: T5's encoder; other: not known.
 */
export type Family = 'unet' | 'ldm' | 'transformer' | 'dit' | 'clip' | 't5' | 'other';

/** What a layer's module is called in Python. */
export interface ModuleName {
  /** What the export put before all paths: `unet` of `unet.mid_block.…`; empty: nothing. */
  readonly root: string;
  /** In the Python model that was exported, without its wrappers. */
  readonly path: string;
  readonly family: Family;
  /** As adapter files call it: diffusers' names of a UNet, and `text_model.` before the layers of CLIP's text encoder. */
  readonly known: string;
  /** Modules that the layer is made of, side by side along its outputs: queries, keys and values in one product. */
  readonly parts?: readonly string[];
  /** UNets: in Stable Diffusion's original code. */
  readonly original?: string;
  /** UNets: SDXL, which takes picture sizes and pooled text. */
  readonly sdxl?: true;
  /** Text encoders: the model has several. */
  readonly several?: true;
}

/** A layer that can be adapted. */
export interface Layer {
  /** Dotted module path, as in torch: `down_blocks.0.attentions.0.proj_in`. */
  readonly path: string;
  /** embedding: a Gather of rows of the weight, W′ = W·R (PEFT); `in` is the number of rows. Found on request only. */
  readonly kind: 'linear' | 'conv' | 'embedding';
  /** The nodes that multiply by the weight (several where it is shared), and the name of the initializer behind it: the largest of several. */
  readonly nodes: readonly string[];
  readonly initializer: string;
  /**
   * Where the weight is more than another layout of one initializer: all initializers behind it, and whether it is one of them as a whole (scaled), or
   * a piece or several.
   */
  readonly made?: { readonly stored: readonly string[]; readonly whole: boolean };
  /** The weight stands on the left, W·x; absent: on the right. */
  readonly weightInput?: 0;
  readonly op: 'MatMul' | 'Gemm' | 'Conv' | 'Gather';
  readonly in: number;
  readonly out: number;
  /** Spatial kernel, empty for linear layers. */
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation?: readonly number[];
  readonly groups: number;
  /** The nodes see the weight as (in, out): its last axis is the output. */
  readonly transposed: boolean;
  /** `unet`, `text_encoder`, … where known. */
  readonly part?: string;
  /** Where the names tell more than the path does. */
  readonly module?: ModuleName;
}

/** What became of a layer under a plan. */
export interface PlannedLayer extends LayerSettings {
  readonly layer: Layer;
  /** Index of the rule that matched; null: the plan's defaults. */
  readonly rule: number | null;
  /** Number of blocks n along the width, block size b, BOFT's stages m (1 for diag); n·b = width. */
  readonly count: number;
  readonly size: number;
  readonly stages: number;
  /** All n blocks are one. */
  readonly share: boolean;
  /** The axis that is cut: out, or on the input side in/groups · kernel (PEFT: W.flatten(1), channel-major). */
  readonly width: number;
  /** Stored numbers: m·n·b² or m·n·b(b−1)/2, n = 1 if shared (+ out with rescale). */
  readonly stored: number;
  /** Degrees of freedom: m·n·b(b−1)/2, n = 1 if shared (+ out with rescale). */
  readonly effective: number;
}
