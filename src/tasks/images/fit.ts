/** @file How a picture of any shape is brought to the size that a model sees: what part of it, and where it goes. */
import { Breath } from '#src/platform/breath.ts';
import type { PictureSize } from '#src/tasks/types.ts';
import type { Box } from './augment.ts';
import { Resampler } from './resample.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The largest centred part of a picture that has the shape width : height. */
export function centreCrop(from: Size, width: number, height: number): Box {
  const scale = Math.min(from.width / width, from.height / height);
  const [w, h] = [width * scale, height * scale];
  return { x: (from.width - w) / 2, y: (from.height - h) / 2, width: w, height: h };
}

/** A part of a picture, and the whole pixels of the frame that it fills. */
export interface Placement {
  readonly box: Box;
  readonly at: Box;
}

/**
 * - crop: the largest centred part that has the frame's shape
 * - stretch: all of it, whatever becomes of its shape (🤗 and torchvision: Resize to height and width)
 * - pad: all of it in its shape, centred, black beside it
 * - shortest: the shorter side is brought to so many pixels, and the centre of that is cut out (Resize(n), then CenterCrop); as crop where the
 *   frame is larger than that
 */
export function placement(own: Size, size: PictureSize): Placement {
  const { width, height, fit = 'crop', shortest = 0 } = size;
  const at = { x: 0, y: 0, width, height };
  if (fit === 'stretch') return { box: { x: 0, y: 0, ...sizeOf(own) }, at };
  if (fit === 'pad') {
    const scale = Math.min(width / own.width, height / own.height);
    const side = (n: number, most: number): number => Math.min(most, Math.max(1, Math.round(n * scale)));
    const [w, h] = [side(own.width, width), side(own.height, height)];
    return {
      box: { x: 0, y: 0, ...sizeOf(own) },
      at: { x: Math.floor((width - w) / 2), y: Math.floor((height - h) / 2), width: w, height: h },
    };
  }
  if (fit === 'shortest') {
    const least = Math.min(own.width, own.height);
    const scaled = (n: number): number => (n === least ? shortest : Math.trunc((shortest * n) / least));
    const [w, h] = [scaled(own.width), scaled(own.height)];
    const [left, top] = [Math.floor((w - width) / 2), Math.floor((h - height) / 2)];
    if (left >= 0 && top >= 0) {
      const [across, down] = [own.width / w, own.height / h];
      return {
        box: { x: left * across, y: top * down, width: width * across, height: height * down },
        at,
      };
    }
  }
  return { box: centreCrop(own, width, height), at };
}

const sizeOf = ({ width, height }: Size): Size => ({ width, height });

/** Pixels of a strip that is read at once: a large photograph's pixels never lie in memory a second time. */
const STRIP = 2 ** 20;

/** RGBA of a part of the picture, opaque; all whole numbers. Called with one width, and with rows up to the first call's. */
export type ReadPixels = (x: number, y: number, width: number, rows: number) => Uint8ClampedArray;

/**
 * The picture at the size that is asked for: RGBA, opaque. One that has that size already keeps its exact values.
 * Strips are read with breaths between.
 * @param own its size as it is shown
 */
export async function fitted(
  own: Size,
  size: PictureSize,
  read: ReadPixels,
  breath: Breath = new Breath(),
): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const { box, at } = placement(own, size);
  const { width, height } = size;
  let rgba: Uint8ClampedArray<ArrayBuffer>;
  if (box.width === at.width && box.height === at.height)
    rgba = new Uint8ClampedArray(read(Math.floor(box.x), Math.floor(box.y), at.width, at.height));
  else {
    const resampler = new Resampler(own, box, at, size.filter);
    const [left, right] = resampler.columns;
    const [first, end] = resampler.rows;
    const strip = Math.min(end - first, Math.max(1, Math.floor(STRIP / (right - left))));
    for (let y = first; y < end; y += strip) {
      if (breath.due) await breath.take();
      resampler.add(read(left, y, right - left, Math.min(strip, end - y)), y);
    }
    rgba = resampler.finish();
  }
  if (at.width === width && at.height === height) return rgba;
  const whole = new Uint8ClampedArray(4 * width * height);
  for (let i = 3; i < whole.length; i += 4) whole[i] = 255;
  for (let y = 0; y < at.height; y++)
    whole.set(rgba.subarray(4 * y * at.width, 4 * (y + 1) * at.width), 4 * ((at.y + y) * width + at.x));
  return whole;
}

/** Reads from pixels that lie in memory. */
export const readFrom =
  ({ width, rgba }: Size & { readonly rgba: Uint8ClampedArray }): ReadPixels =>
  (x, y, columns, rows) => {
    const out = new Uint8ClampedArray(4 * columns * rows);
    for (let row = 0; row < rows; row++) {
      const from = 4 * ((y + row) * width + x);
      out.set(rgba.subarray(from, from + 4 * columns), 4 * row * columns);
    }
    return out;
  };
