/** @file Between the model's pixels (CHW in [−1, 1]) and pictures for people. */
import type { Picture, RawImage } from '../types.ts';

/** RGBA, 0–255, opaque. One channel is shown as grey. */
export function toPicture(pixels: Float32Array, width: number, height: number): Picture {
  const plane = width * height;
  const channels = pixels.length / plane;
  const rgba = new Uint8ClampedArray(4 * plane).fill(255);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++)
      rgba[4 * i + c] = Math.round((pixels[(channels === 1 ? 0 : c) * plane + i]! + 1) * 127.5);
  return { width, height, rgba };
}

/**
 * How colourful RGB pictures are: the mean over all pixels of (max − min over R, G, B)/2 of values in [−1, 1]. 0: grey, 1: pure colours.
 * @param pixels [N, 3, plane]
 * @param plane pixels of one picture
 */
export function saturation(pixels: Float32Array, plane: number): number {
  let sum = 0;
  for (let start = 0; start < pixels.length; start += 3 * plane)
    for (let i = start; i < start + plane; i++) {
      const [r, g, b] = [pixels[i]!, pixels[i + plane]!, pixels[i + 2 * plane]!];
      sum += (Math.max(r, g, b) - Math.min(r, g, b)) / 2;
    }
  return (3 * sum) / pixels.length;
}

/** RGBA bytes → CHW, RGB, v/127.5 − 1. Alpha is left out: the picture must be opaque. */
export function toPixels({ rgba, width, height }: RawImage): Float32Array {
  const plane = width * height;
  const out = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) out[c * plane + i] = rgba[4 * i + c]! / 127.5 - 1;
  return out;
}
