/** @file The names of what `npm run tune` leaves in its folder. */

/** @import { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts' */

/** Where each kind of adapter lies; a folder for kinds of several files. @type {Readonly<Record<AdapterFormat, string>>} */
export const PLACES = {
  lycoris: 'adapter.safetensors',
  comfyui: 'adapter-comfyui.safetensors',
  peft: 'peft/',
  oft_r: 'adapter-oft_r.safetensors',
  diff: 'adapter-diff.safetensors',
  onnx: 'merged.onnx',
  onnx_fp16: 'merged-fp16.onnx',
};

/** All that a run may write. */
export const RESULTS = [
  'log.jsonl',
  'before.png',
  'after.png',
  'before.txt',
  'after.txt',
  'samples.json',
  'run.json',
  'report.txt',
  'merged',
  'merged-fp16',
  ...Object.values(PLACES),
];
