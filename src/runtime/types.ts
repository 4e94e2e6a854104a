/** @file What the rest sees of the runtime: a Program goes in, something that runs comes out. No onnxruntime type leaks. */
import type { TypedArray } from '#src/onnx/tensor.ts';
import type { Program } from '#src/program/types.ts';
import type { OfferedMemory } from '#src/program/verdict.ts';

export type BackendKind = 'webgpu' | 'wasm';

export interface BackendReport {
  readonly kind: BackendKind;
  /** One plain sentence: why this backend. */
  readonly reason: string;
  readonly threads: number;
  /** GPU name or null. */
  readonly adapter: string | null;
}

/**
 * How the runtime's start goes: its bytes come (total 0: not known), were damaged and come anew, it starts with so many threads, it runs; or it failed, and this
 * realm cannot start it any more.
 */
export type StartSign =
  | { readonly kind: 'fetching'; readonly done: number; readonly total: number }
  | { readonly kind: 'starting'; readonly threads: number }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed' };

export interface PlacementReport {
  readonly nodes: number;
  /** Nodes that do not run on the wanted device, with the reason where known. */
  readonly elsewhere: readonly {
    readonly node: string;
    readonly op: string;
    readonly device: string;
    readonly reason: string;
  }[];
}

/** Reads `length` bytes at `offset` of an external data file named in a model. */
export type LoadExternal = (location: string, offset: number, length: number) => Promise<Uint8Array>;

export interface Executable {
  /** Runs every stage once; state moves on. Only the named `reads` come back to the host. */
  run(
    feeds: Readonly<Record<string, TypedArray>>,
    reads?: readonly string[],
  ): Promise<Record<string, TypedArray>>;
  readState(): Promise<Record<string, Float32Array>>;
  writeState(state: Readonly<Record<string, Float32Array>>): Promise<void>;
  placement(): PlacementReport;
  dispose(): Promise<void>;
}

export interface Runtime {
  /** Fetches and starts what computes, once; the first program would do it otherwise. The signal ends the fetching, and what came is kept. */
  start(signal?: AbortSignal): Promise<void>;
  readonly backend: BackendReport;
  /** Compiles a program. Weights that another live program of this runtime already uploaded (same Constant object) are shared. */
  load(program: Program, external?: LoadExternal): Promise<Executable>;
  /** What the device gives, as far as the browser tells. */
  readonly offered: OfferedMemory;
  /** Bytes held on the device by weights and state. */
  memory(): { readonly weights: number; readonly state: number };
  /** Resolves when the device is lost, with the reason; never on wasm. */
  readonly lost: Promise<string>;
  dispose(): Promise<void>;
}
