/** @file PNG files without a canvas: 8-bit RGBA, no interlacing (W3C PNG specification), for Node, workers and pages alike. */
import { zlibSync } from 'fflate';

/** RGBA, row-major, 0–255. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray | Uint8Array;
}

/** CRC-32 of PNG's annex D: polynomial 0xEDB88320, reflected. */
const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) c = crcTable[(c ^ b) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** The picture as a PNG file. Throws FormatError where the pixels do not fill width × height. */
export function encodePng({ width, height, rgba }: Raster): Uint8Array {
  if (width < 1 || height < 1 || rgba.length !== 4 * width * height)
    throw new RangeError(
      `A picture of ${width}×${height} takes ${4 * width * height} bytes, ${rgba.length} were given.`,
    );
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 6], 8);
  // Every row begins with its filter; 0: none.
  const rows = new Uint8Array(height * (1 + 4 * width));
  for (let y = 0; y < height; y++)
    rows.set(rgba.subarray(4 * width * y, 4 * width * (y + 1)), y * (1 + 4 * width) + 1);
  const parts = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk('IHDR', header),
    chunk('IDAT', zlibSync(rows, { level: 9 })),
    chunk('IEND', new Uint8Array(0)),
  ];
  const file = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
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
