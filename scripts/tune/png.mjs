/** @file Contact sheets as PNG files: pictures in a row-major grid, enlarged by whole multiples. */
import { crc32, deflateSync } from 'node:zlib';

/** @typedef {{ width: number, height: number, rgba: Uint8ClampedArray | Uint8Array }} Picture */

/** Paper, as on the page. */
const BACKGROUND = [0xfa, 0xf8, 0xf4];
const GAP = 8;
/** Small pictures are enlarged until a side reaches this many pixels. */
const SIDE = 128;

/** A PNG chunk: length, type, data, checksum. @param {string} type @param {Uint8Array} data */
function chunk(type, data) {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, data.length + 8)), data.length + 8);
  return out;
}

/**
 * Encodes RGB pixels (row-major, 3 bytes each).
 * @param {number} width @param {number} height @param {Uint8Array} rgb
 */
export function encodePng(width, height, rgb) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits a channel, RGB, no interlace
  const lines = Buffer.alloc(height * (width * 3 + 1)); // each line begins with its filter, 0: none
  for (let y = 0; y < height; y++) {
    lines.set(rgb.subarray(y * width * 3, (y + 1) * width * 3), y * (width * 3 + 1) + 1);
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', new Uint8Array()),
  ]);
}

/**
 * Pictures of equal size side by side, at most eight in a row.
 * @param {readonly Picture[]} pictures at least one
 */
export function contactSheet(pictures) {
  const first = pictures[0];
  if (!first) throw new Error('a contact sheet needs a picture');
  const scale = Math.max(1, Math.floor(SIDE / Math.max(first.width, first.height)));
  const columns = Math.min(8, pictures.length);
  const rows = Math.ceil(pictures.length / columns);
  const cell = { width: first.width * scale + GAP, height: first.height * scale + GAP };
  const width = columns * cell.width + GAP;
  const height = rows * cell.height + GAP;
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i += 3) rgb.set(BACKGROUND, i);
  for (const [index, picture] of pictures.entries()) {
    const left = GAP + (index % columns) * cell.width;
    const top = GAP + Math.floor(index / columns) * cell.height;
    for (let y = 0; y < picture.height * scale; y++) {
      for (let x = 0; x < picture.width * scale; x++) {
        const from = (Math.floor(y / scale) * picture.width + Math.floor(x / scale)) * 4;
        rgb.set(picture.rgba.subarray(from, from + 3), ((top + y) * width + left + x) * 3);
      }
    }
  }
  return encodePng(width, height, rgb);
}
