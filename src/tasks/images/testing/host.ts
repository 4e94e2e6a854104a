/** @file A host for tests in Node: PNGs decoded, cropped and scaled to the nearest pixel; nothing runs on a device. */
import { PNG } from 'pngjs';
import type { RawImage, TaskHost } from '#src/tasks/types.ts';

/** As TaskHost.decodeImage, for PNGs only. Counts its calls. */
export function pngDecoder(): TaskHost['decodeImage'] & { calls: number } {
  const decode = async (
    bytes: Uint8Array,
    _: string,
    size?: { width: number; height: number },
  ): Promise<RawImage> => {
    decode.calls++;
    const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
    const to = size ?? { width, height };
    const scale = Math.min(width / to.width, height / to.height);
    const [left, top] = [(width - to.width * scale) / 2, (height - to.height * scale) / 2];
    const rgba = new Uint8ClampedArray(4 * to.width * to.height);
    for (let y = 0; y < to.height; y++)
      for (let x = 0; x < to.width; x++) {
        const from = Math.floor(top + (y + 0.5) * scale) * width + Math.floor(left + (x + 0.5) * scale);
        const alpha = data[4 * from + 3]! / 255;
        for (let c = 0; c < 3; c++)
          rgba[4 * (y * to.width + x) + c] = data[4 * from + c]! * alpha + 255 * (1 - alpha);
        rgba[4 * (y * to.width + x) + 3] = 255;
      }
    return { ...to, rgba };
  };
  decode.calls = 0;
  return decode;
}

export function testHost(decodeImage: TaskHost['decodeImage'] = pngDecoder()): TaskHost {
  return {
    backend: 'wasm',
    frozen: () => () => Promise.reject(new Error('Nothing runs in this test.')),
    decodeImage,
  };
}

/** A PNG whose pixels follow from a function: RGB, 0–255. */
export function png(
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly [number, number, number],
): Uint8Array {
  const image = new PNG({ width, height });
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) image.data.set([...pixel(x, y), 255], 4 * (y * width + x));
  return new Uint8Array(PNG.sync.write(image));
}

/** One colour, of the number's bits; different numbers below 2²⁴ give different files. */
export const plainPng = (n: number, width = 8, height = width): Uint8Array =>
  png(width, height, () => [n & 255, (n >> 8) & 255, (n >> 16) & 255]);
