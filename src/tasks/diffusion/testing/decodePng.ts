/** @file Decodes PNGs in Node, for tests: the pixels as they are, over white; no resizing. */
import { PNG } from 'pngjs';
import type { TaskHost } from '../../types.ts';
import type { Decode } from '../data.ts';
import { toPixels } from '../pictures.ts';

/** Throws if the file is no PNG or has another size than asked for. */
export const decodePngImage: TaskHost['decodeImage'] = (bytes, _, size) => {
  const png = PNG.sync.read(Buffer.from(bytes));
  const { width, height } = png;
  if (size && (width !== size.width || height !== size.height))
    return Promise.reject(new Error(`it has ${width} × ${height} pixels, and tests do not resize`));
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    const alpha = png.data[4 * i + 3]! / 255;
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = png.data[4 * i + c]! * alpha + 255 * (1 - alpha);
  }
  return Promise.resolve({ width, height, rgba });
};

/** CHW in [−1, 1]. */
export const decodePng: Decode = async (bytes, width, height, path) =>
  toPixels(await decodePngImage(bytes, path, { width, height }));
