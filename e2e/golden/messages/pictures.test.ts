/** @file Pictures of every kind, cut off at every length and with bytes exchanged: read as they are, or said by name. */
import { describe, expect, it } from 'vitest';
import { Reason } from '#src/platform/refusals.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { collectImages } from '#src/tasks/images/collect.ts';
import { decodeDeepPng, isDeepPng } from '#src/tasks/images/deep.ts';
import { probeImage } from '#src/tasks/images/probe.ts';
import { ImageStore } from '#src/tasks/images/store.ts';
import { pngDecoder, testHost } from '#src/tasks/images/testing/host.ts';
import pictures from '#src/tasks/images/testing/pictures.json' with { type: 'json' };
import { decodeTiff } from '#src/tasks/images/tiff.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import type { TaskHost } from '#src/tasks/types.ts';
import { expectShown } from './drive.ts';
import { fault } from './plain.ts';

const png = pngDecoder();

/** As the worker decodes, but for what only browsers can: of that, headers alone are looked at. */
const decodeImage: TaskHost['decodeImage'] = async (bytes, path, size = { width: 8, height: 8 }) => {
  const format = probeImage(bytes)?.format;
  if (format === 'tiff') decodeTiff(bytes);
  else if (isDeepPng(bytes)) decodeDeepPng(bytes);
  else if (format === 'png') return png(bytes, path, size);
  const { width, height } = size;
  return { width, height, rgba: new Uint8ClampedArray(4 * width * height).fill(255) };
};

const cases = pictures.map(({ name, file }) => [name, new Uint8Array(Buffer.from(file, 'base64'))] as const);
const endings: Readonly<Record<string, string>> = { jpeg: 'jpg', tiff: 'tif', svg: 'svg' };

async function looked(name: string, bytes: Uint8Array, what: string): Promise<boolean> {
  const kind = name.split(' ')[0]!;
  const path = `a picture.${endings[kind] ?? kind}`;
  const files = memoryFiles({ [path]: bytes });
  const store = new ImageStore(files, testHost(decodeImage), { width: 8, height: 8 });
  const { images, problems } = await collectImages(store, files.paths);
  // Left out in silence is what must not be.
  expect(images.size + problems.length, what).toBeGreaterThan(0);
  for (const problem of problems) {
    expectShown(problem, what);
    expect(problem.message).toContain(problem.item);
  }
  return images.size === 0;
}

describe.each(cases)('%s', (name, whole) => {
  it('cut off, or with bytes exchanged', async () => {
    let refused = 0;
    for (let i = 0; i < 6; i++)
      if (await looked(name, whole.slice(0, Math.floor((whole.length * i) / 6)), `${name} cut at ${i}/6`))
        refused++;
    for (let i = 0; i < 8; i++)
      if (await looked(name, damaged(dice(i), whole), `${name}, seed ${i}`)) refused++;
    expect(refused).toBeGreaterThan(0);
  });
});

describe('decoders of our own', () => {
  it.each(cases.filter(([name]) => /^tiff|16/.test(name)))(
    '%s: a damaged one gives a reason',
    (name, whole) => {
      for (let i = 0; i < 40; i++)
        try {
          const bytes = damaged(dice(i), whole);
          if (isDeepPng(bytes)) decodeDeepPng(bytes);
          else decodeTiff(bytes);
        } catch (error) {
          expect(error, `${name}, seed ${i}`).toBeInstanceOf(Reason);
          expect(fault(`It is so: ${(error as Error).message}.`)).toBeNull();
        }
    },
  );
});
