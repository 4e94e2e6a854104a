/** @file What the inspector says of ONNX files: plain data for the page. */
import type { AssumedDim } from '#src/graph/assume.ts';
import type { Dim } from '#src/onnx/model.ts';
import type { Layer } from '#src/oft/types.ts';
import type { Reach } from '#src/oft/preflight/obstacles.ts';
import type { Proposal } from '#src/tasks/recognition/types.ts';
import type { Support } from '#src/ops/checks/support.ts';
import type { Problem } from '../types.ts';

/** How to look at files; what is left out is assumed. */
export interface Look {
  /** Sizes by dimension name, by the path of the file. */
  readonly dims?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Also the SHA-256 identities, for which every byte is read. */
  readonly identity?: boolean;
}

export interface Inspection {
  /** What people call the files: a folder's or a file's name. */
  readonly name: string;
  /** Of all files of the set. */
  readonly bytes: number;
  readonly files: number;
  /** The pipeline's class where a model_index.json names one: the files are parts of one model. */
  readonly pipeline: string | null;
  /** Each .onnx of the set, by path. */
  readonly models: readonly InspectedFile[];
  /** Path of the one to show first: what people mean by the set. null: there is none. */
  readonly first: string | null;
}

export type InspectedFile = InspectedModel | RefusedFile;

/** A file that is no model, or a damaged one. */
export interface RefusedFile {
  readonly kind: 'refused';
  readonly path: string;
  readonly bytes: number;
  readonly problem: Problem;
}

export interface InspectedTensor {
  readonly name: string;
  readonly type: string;
  /** As the file says: sizes, names, expressions; null: the rank is unknown. */
  readonly shape: readonly Dim[] | null;
  /** With the dimensions bound; null where that failed. */
  readonly bound: readonly number[] | null;
}

export interface InspectedDim extends AssumedDim {
  /** The size that the model was bound with: the user's, or the assumed one. */
  readonly value: number;
  readonly assumed: number;
  readonly given: boolean;
}

export interface InspectedOperator {
  readonly op: string;
  /** '' is the standard domain. */
  readonly domain: string;
  readonly count: number;
  readonly state: Support;
  /** Why it is not taken, and the way out. */
  readonly reason?: string;
}

/** Nodes of one operator that stand in the way. */
export interface InspectedObstacle {
  readonly op: string;
  readonly nodes: readonly string[];
  /** It keeps layers from being trained; otherwise it only is there. */
  readonly blocks: boolean;
  readonly reason: string;
}

export interface InspectedLayer extends Layer {
  readonly reach: Reach;
}

export interface InspectedPlacement {
  /** Which graph was looked at: a training step with rotations in all layers, or the model alone where it cannot be trained. */
  readonly of: 'step' | 'model';
  readonly nodes: number;
  readonly elsewhere: readonly { readonly node: string; readonly op: string; readonly reason: string }[];
}

export interface InspectedModel {
  readonly kind: 'model';
  readonly path: string;
  /** The file, and the weights in files beside it. */
  readonly bytes: number;
  readonly external: readonly { readonly path: string; readonly bytes: number | null }[];
  /** SHA-256 identity, hexadecimal; null: not asked for yet, or weights are missing. */
  readonly hash: string | null;
  readonly producer: string;
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly inputs: readonly InspectedTensor[];
  readonly outputs: readonly InspectedTensor[];
  /** What it can be taught, the likeliest first; never empty. */
  readonly proposals: readonly Proposal[];
  readonly dims: readonly InspectedDim[];
  /** Most frequent first. */
  readonly operators: readonly InspectedOperator[];
  readonly nodes: {
    /** In the file, branches included. */
    readonly file: number;
    /** Left once the dimensions are bound and constants are folded; null where that failed. */
    readonly bound: number | null;
  };
  readonly weights: {
    /** Numbers in the tensors that hold weights, by element type, most first. */
    readonly numbers: number;
    readonly tensors: number;
    readonly types: readonly { readonly type: string; readonly numbers: number }[];
  };
  readonly layers: readonly InspectedLayer[];
  readonly obstacles: readonly InspectedObstacle[];
  readonly trainable: {
    /** How many layers can turn; 0: the model cannot be trained. */
    readonly layers: number;
    /** One plain sentence. */
    readonly words: string;
    readonly cure?: string;
  };
  readonly placement: InspectedPlacement | null;
  /** What is wrong or doubtful, worst first. */
  readonly problems: readonly (Problem & { readonly severity: 'error' | 'warning' })[];
}
