/** @file SHA-256 by WebAssembly, apart so that it is loaded only where it is needed, and without the library's other algorithms. */
export { createSHA256 } from 'hash-wasm';
