/** @file A Stable Diffusion folder through the trainer: buckets and a trained text encoder, cut and resumed, and its merged files. */
import 'fake-indexeddb/auto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import { unzipSync } from 'fflate';
import { expect, it } from 'vitest';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Source } from '../protocol.ts';
import { adapterBytes, Lab, timeless, tinyJob, tinyRequest, value } from './testing/sessions.ts';

const root = fileURLToPath(new URL('../../e2e/golden/tiny-sd', import.meta.url));
const model: Source = {
  kind: 'files',
  name: 'tiny-sd',
  files: readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({
      path: path.slice(root.length + 1).replaceAll('\\', '/'),
      blob: new Blob([new Uint8Array(readFileSync(path))]),
    })),
};
const png = (width: number, height: number, hue: number): Blob => {
  const image = new PNG({ width, height });
  for (let i = 0; i < width * height; i++) image.data.set([(i * hue) % 256, hue, 255 - hue, 255], 4 * i);
  return new Blob([new Uint8Array(PNG.sync.write(image))]);
};
const train: Source = {
  kind: 'files',
  name: 'pictures',
  files: [
    { path: 'a red robot.png', blob: png(16, 16, 20) },
    { path: 'a wide cat.png', blob: png(20, 12, 90) },
    { path: 'a tall cat.png', blob: png(12, 20, 200) },
  ],
};
const request = () =>
  tinyRequest(
    {
      model: 'tiny-sd',
      options: { ...tinyJob.options, buckets: true, trainTextEncoder: true, sampler: 'euler' },
      train: { ...tinyJob.train, steps: 6 },
      sample: { ...tinyJob.sample, prompts: ['a cat'], steps: 2, every: 6 },
    },
    { model, train },
  );

it('trains several shapes and both networks; cut and resumed, it gives the bytes of a run never cut', async () => {
  const whole = new Lab('sd-whole').newSession();
  const result = value(await whole.start(request(), () => undefined));
  expect(result).toMatchObject({ outcome: 'finished', step: 6 });
  const lab = new Lab('sd-cut');
  const first = lab.newSession();
  const paused = value(
    await first.start(request(), (event) => {
      if (event.kind === 'steps' && event.records.some((r) => r.step === 2)) void first.pause();
    }),
  );
  expect(paused).toMatchObject({ outcome: 'paused' });
  const second = lab.newSession();
  const resumed = value(await second.start(request(), () => undefined, paused.id));
  expect(timeless(resumed)).toEqual(timeless(result));
  expect(await adapterBytes(second)).toEqual(await adapterBytes(whole));

  const files = unzipSync(await adapterBytes(whole, 'onnx'));
  expect(Object.keys(files).sort()).toEqual(['text_encoder/model.onnx', 'unet/model.onnx']);
  for (const [path, bytes] of Object.entries(files)) {
    const original = decodeModel(new Uint8Array(readFileSync(join(root, path))));
    expect(decodeModel(bytes).graph.inputs).toEqual(original.graph.inputs);
    expect(bytes).not.toEqual(new Uint8Array(readFileSync(join(root, path))));
  }
}, 120_000);
