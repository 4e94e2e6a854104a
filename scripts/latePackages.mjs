/** @file Packages that only workers and lazy parts import: found while the page runs, Vite would bundle them then, and reload the page. */
export const LATE_PACKAGES = [
  ...['comlink', 'uplot', 'utif2', 'fast-png', 'smol-toml', 'valibot', 'onnx-buf', '@bufbuild/protobuf'],
  ...[
    '@huggingface/jinja',
    '@huggingface/tokenizers',
    '@zip.js/zip.js/lib/zip-core-native.js',
    'hash-wasm',
    'idb-keyval',
  ],
];
