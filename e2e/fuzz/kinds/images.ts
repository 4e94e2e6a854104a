/** @file Pictures of every format, cut, and with bytes exchanged. Of what only browsers decode, headers alone are looked at. */
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
import type { FuzzKind, Said } from '../kind.ts';

const png = pngDecoder();

/** As the worker decodes. */
const decodeImage: TaskHost['decodeImage'] = async (bytes, path, size = { width: 8, height: 8 }) => {
  const format = probeImage(bytes)?.format;
  if (format === 'tiff') decodeTiff(bytes);
  else if (isDeepPng(bytes)) decodeDeepPng(bytes);
  else if (format === 'png') return png(bytes, path, size);
  const { width, height } = size;
  return { width, height, rgba: new Uint8ClampedArray(4 * width * height).fill(255) };
};

/** Golden pictures, their format first in their names. */
export const wholePictures = pictures.map(
  ({ name, file }) => [name, new Uint8Array(Buffer.from(file, 'base64'))] as const,
);

/** What a folder with this picture in it is told. Throws Error where it is left out in silence. */
export async function pictureSaid(path: string, bytes: Uint8Array): Promise<readonly Said[]> {
  const files = memoryFiles({ [path]: bytes });
  const store = new ImageStore(files, testHost(decodeImage), { width: 8, height: 8 });
  const { images, problems } = await collectImages(store, files.paths);
  if (images.size + problems.length === 0) throw new Error('The picture was left out in silence.');
  if (problems.some(({ item, message }) => !message.includes(item)))
    throw new Error('It is not said which picture.');
  return problems;
}

const endings: Readonly<Record<string, string>> = { jpeg: 'jpg', tiff: 'tif' };

export const images: FuzzKind = {
  ending: '.bin',
  full: 5000,
  make: (seed) => {
    const d = dice(seed);
    const [, whole] = d.pick(wholePictures);
    let bytes: Uint8Array = whole;
    for (let i = 1 + d.whole(3); i > 0; i--) bytes = damaged(d, bytes);
    if (!d.chance(0.3)) return bytes;
    // Sizes and offsets stand at a file's beginning.
    const out = bytes.slice();
    for (let i = d.whole(6); i > 0; i--)
      if (out.length > 0) out[d.whole(Math.min(out.length, 120))] = d.pick([0, 1, 127, 128, 255]);
    return out;
  },
  read: (input) => {
    const format = probeImage(input)?.format ?? 'png';
    return pictureSaid(`a picture.${endings[format] ?? format}`, input);
  },
};
