/** @file The names of what `npm run tune` leaves in its folder. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../ensure.mjs';

/** @import { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts' */

/** Names that say more than the kind; a folder for kinds of several files. @type {Readonly<Partial<Record<AdapterFormat, string>>>} */
const NAMED = {
  lycoris: 'adapter.safetensors',
  peft: 'peft/',
  onnx: 'merged.onnx',
  onnx_fp16: 'merged-fp16.onnx',
};

/** The kinds of adapter, a file for each; those with names first. */
export const FORMATS = /** @type {AdapterFormat[]} */ ([
  ...new Set([
    ...Object.keys(NAMED),
    ...readdirSync(join(ROOT, 'src/formats/adapters/kinds'))
      .filter((name) => /^\w+\.ts$/.test(name))
      .map((name) => name.replace('.ts', '')),
  ]),
]);

/** Where each kind of adapter lies. */
export const PLACES = /** @type {Readonly<Record<AdapterFormat, string>>} */ (
  Object.fromEntries(FORMATS.map((format) => [format, NAMED[format] ?? `adapter-${format}.safetensors`]))
);

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
