/** @file Addresses of onnxruntime's wasm files as the bundler serves them: for browsers only. */
import asyncifyMjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?hashed';
import asyncifyWasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?packed';
import jspiMjs from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?hashed';
import jspiWasm from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?packed';
import plainMjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?hashed';
import plainWasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?packed';
import type { Bundle, WasmPaths } from './builds.ts';

const absolute = (mjs: typeof plainMjs, { url, bytes, packed, file }: typeof plainWasm): WasmPaths => ({
  mjs: new URL(mjs.url, import.meta.url).href,
  wasm: new URL(url, import.meta.url).href,
  bytes,
  packed,
  files: { mjs: mjs.file, wasm: file },
});

/** Separate files instead of copies inside the bundle: with those, threads would run the app's worker again and hang. */
export const bundledPaths: Readonly<Record<Bundle, WasmPaths>> = {
  jspi: absolute(jspiMjs, jspiWasm),
  webgpu: absolute(asyncifyMjs, asyncifyWasm),
  wasm: absolute(plainMjs, plainWasm),
};
