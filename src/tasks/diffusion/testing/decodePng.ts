/** @file Decodes PNGs in Node, for tests: the pixels as they are, over white; no resizing. */
import { PNG } from 'pngjs';
import type { Decode } from '../data.ts';

/** CHW in [−1, 1]. Throws if the file is no PNG or has another size than asked for. */
export const decodePng: Decode = async (bytes, width, height) => {
  const png = PNG.sync.read(Buffer.from(bytes));
  if (png.width !== width || png.height !== height)
    throw new Error(`it has ${png.width} × ${png.height} pixels, and tests do not resize`);
  const out = new Float32Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const alpha = png.data[4 * i + 3]! / 255;
    for (let c = 0; c < 3; c++)
      out[c * width * height + i] = (png.data[4 * i + c]! * alpha + 255 * (1 - alpha)) / 127.5 - 1;
  }
  return out;
};
