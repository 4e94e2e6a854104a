/** @file Frames ↔ the model's tensors. */
import type { Picture } from '#src/tasks/types.ts';
import { type Change, changeColours, grey, unchanged } from './augment.ts';
import type { Preprocess } from './preprocess.ts';
import type { Frame } from './store.ts';

/** Where channels stand in an input of rank 4. */
export interface PixelLayout {
  readonly channels: number;
  readonly order: 'NCHW' | 'NHWC';
}

/** Part of a frame at the wanted size, RGB floats in [0, 1], by bilinear interpolation of pixel centres; whole boxes at their own size are copied. */
function resampled(frame: Frame, change: Change, width: number, height: number): Float32Array {
  const box = change.box ?? {
    x: Math.floor((frame.width - width) / 2),
    y: Math.floor((frame.height - height) / 2),
    width,
    height,
  };
  const out = new Float32Array(3 * width * height);
  const places = (from: number, length: number, n: number, limit: number, turned: boolean) =>
    Array.from({ length: n }, (_, i) => {
      const at = from + (((turned ? n - 1 - i : i) + 0.5) * length) / n - 0.5;
      const low = Math.min(limit - 1, Math.max(0, Math.floor(at)));
      return { low, high: Math.min(limit - 1, low + 1), share: Math.min(1, Math.max(0, at - low)) };
    });
  const xs = places(box.x, box.width, width, frame.width, change.flip);
  const ys = places(box.y, box.height, height, frame.height, false);
  const { rgb } = frame;
  ys.forEach((v, y) => {
    const [above, below] = [v.low * frame.width, v.high * frame.width];
    xs.forEach((u, x) => {
      for (let c = 0; c < 3; c++) {
        const at = (row: number, column: number): number => rgb[3 * (row + column) + c]!;
        const top = at(above, u.low) * (1 - u.share) + at(above, u.high) * u.share;
        const bottom = at(below, u.low) * (1 - u.share) + at(below, u.high) * u.share;
        out[3 * (y * width + x) + c] = (top * (1 - v.share) + bottom * v.share) / 255;
      }
    });
  });
  return out;
}

/** Writes one image, changed and normalised, into a batch at `offset` numbers. */
export function writePixels(
  frame: Frame,
  { width, height, mean, std, scale, bgr = false }: Preprocess,
  { channels, order }: PixelLayout,
  out: Float32Array,
  offset: number,
  change: Change = unchanged,
): void {
  const rgb = resampled(frame, change, width, height);
  if (change.colour) changeColours(rgb, change.colour);
  const plane = width * height;
  for (let i = 0; i < plane; i++) {
    const pixel = rgb.subarray(3 * i, 3 * i + 3);
    for (let c = 0; c < channels; c++) {
      const value = channels === 1 ? grey(pixel[0]!, pixel[1]!, pixel[2]!) : pixel[bgr ? 2 - c : c]!;
      const at = order === 'NCHW' ? c * plane + i : i * channels + c;
      out[offset + at] = (value * scale - mean[c]!) / std[c]!;
    }
  }
}

/** One image of a batch of tensors as a picture: the inverse of writePixels, clipped. */
export function readPicture(
  data: ArrayLike<number>,
  offset: number,
  { width, height, mean, std, scale, bgr = false }: Preprocess,
  { channels, order }: PixelLayout,
): Picture {
  const plane = width * height;
  const rgba = new Uint8ClampedArray(4 * plane).fill(255);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) {
      const k = channels === 1 ? 0 : bgr ? 2 - c : c;
      const at = order === 'NCHW' ? k * plane + i : i * channels + k;
      rgba[4 * i + c] = Math.round(((data[offset + at]! * std[k]! + mean[k]!) / scale) * 255);
    }
  return { width, height, rgba };
}
