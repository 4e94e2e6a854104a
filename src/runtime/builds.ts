/** @file The builds of onnxruntime-web, and where one is fetched from. */

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
}
