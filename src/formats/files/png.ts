/** @file PNG files without a canvas: 8-bit RGBA, no interlacing, for Node, workers and pages alike. */
import { encode } from 'fast-png';

/** RGBA, row-major, 0–255. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray | Uint8Array;
}

/** The picture as a PNG file. Throws RangeError where the pixels do not fill width × height. */
export function encodePng({ width, height, rgba }: Raster): Uint8Array {
  if (width < 1 || height < 1 || rgba.length !== 4 * width * height)
    throw new RangeError(
      `A picture of ${width}×${height} takes ${4 * width * height} bytes, ${rgba.length} were given.`,
    );
  return encode({ width, height, data: rgba, channels: 4, depth: 8 }, { zlib: { level: 9 } });
}

export interface SheetOptions {
  /** Pictures in a row; without it, a grid that is about square. */
  readonly columns?: number;
  /** Pixels become squares of this side. */
  readonly scale?: number;
  /** Pixels between the pictures and around them. */
  readonly gap?: number;
  /** RGBA behind the pictures. */
  readonly background?: readonly [number, number, number, number];
}

/** One picture of many, in reading order, enlarged without blur. Cells have the largest picture's size. */
export function contactSheet(
  pictures: readonly Raster[],
  { columns, scale = 1, gap = 0, background = [255, 255, 255, 255] }: SheetOptions = {},
): Raster {
  if (pictures.length === 0) throw new RangeError('A sheet needs at least one picture.');
  const across = columns ?? Math.ceil(Math.sqrt(pictures.length));
  const down = Math.ceil(pictures.length / across);
  const cellWidth = scale * Math.max(...pictures.map((p) => p.width));
  const cellHeight = scale * Math.max(...pictures.map((p) => p.height));
  const width = across * (cellWidth + gap) + gap;
  const height = down * (cellHeight + gap) + gap;
  const rgba = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < rgba.length; i += 4) rgba.set(background, i);
  pictures.forEach((p, k) => {
    const left = gap + (k % across) * (cellWidth + gap);
    const top = gap + Math.floor(k / across) * (cellHeight + gap);
    for (let y = 0; y < p.height * scale; y++)
      for (let x = 0; x < p.width * scale; x++) {
        const from = 4 * (Math.floor(y / scale) * p.width + Math.floor(x / scale));
        rgba.set(p.rgba.subarray(from, from + 4), 4 * ((top + y) * width + left + x));
      }
  });
  return { width, height, rgba };
}
