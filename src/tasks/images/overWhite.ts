/** @file Samples of 8 or 16 bits as opaque RGBA of 8 bits, transparent parts over white. */

/** The largest sample of so many bits. */
export type Depth = 8 | 16;

/**
 * @param samples row-major, `channels` for each pixel: grey, grey and alpha, RGB, or RGB and alpha
 * @param depth 16: v/257, rounded
 */
export function overWhite(
  samples: ArrayLike<number>,
  channels: number,
  depth: Depth,
  pixels: number,
): Uint8ClampedArray<ArrayBuffer> {
  const most = depth === 16 ? 65_535 : 255;
  const colours = channels < 3 ? 1 : 3;
  const rgba = new Uint8ClampedArray(4 * pixels).fill(255);
  for (let i = 0; i < pixels; i++) {
    const alpha = channels > colours ? samples[i * channels + colours]! / most : 1;
    for (let c = 0; c < 3; c++) {
      const v = samples[i * channels + Math.min(c, colours - 1)]!;
      // Halves go up, as with every other picture.
      rgba[4 * i + c] = Math.floor(((v / most) * alpha + (1 - alpha)) * 255 + 0.5);
    }
  }
  return rgba;
}
