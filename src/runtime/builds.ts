/** @file The builds of onnxruntime-web, and where one is fetched from. */
import type { OwnFile } from '#src/platform/ownFile.ts';

/** Builds of onnxruntime-web: WebGPU by JSPI, WebGPU by asyncify, WebAssembly alone. */
export type Bundle = 'jspi' | 'webgpu' | 'wasm';

/** Where a build's glue code and WebAssembly module are. */
export interface WasmPaths {
  readonly mjs: string;
  readonly wasm: string;
  /** What is fetched for the module; absent: not known. */
  readonly bytes?: number;
  /** It is compressed by gzip. */
  readonly packed?: boolean;
  /** What the build knows of both; null or absent: nothing. */
  readonly files?: { readonly mjs: OwnFile | null; readonly wasm: OwnFile | null };
}
