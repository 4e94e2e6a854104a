/** @file Which way up a picture is shown: cameras note how they were held, and decoders turn the picture by that. */
import type { ImageHeader } from './probe.ts';

const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** The Exif block's orientation (tag 0x0112 of the first directory), 1 to 8; 1 where it says none or is damaged. */
function exifOrientation(block: Uint8Array): number {
  const tiff = ascii(block, 0, 6) === 'Exif\0\0' ? block.subarray(6) : block;
  if (tiff.length < 14) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = ascii(tiff, 0, 2) === 'II';
  if (!little && ascii(tiff, 0, 2) !== 'MM') return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, little) !== 0x0112) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

function jpegExif(bytes: Uint8Array, view: DataView): Uint8Array | null {
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    // Behind the start of the scan there are no more notes.
    if (marker === 0xda || marker === 0xd9) return null;
    const length = view.getUint16(at + 2);
    const block = bytes.subarray(at + 4, at + 2 + length);
    if (marker === 0xe1 && ascii(block, 0, 6) === 'Exif\0\0') return block;
    at += 2 + Math.max(2, length);
  }
  return null;
}

function pngExif(bytes: Uint8Array, view: DataView): Uint8Array | null {
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = ascii(bytes, at + 4, 4);
    // Decoders turn a picture only by what is noted before its pixels.
    if (type === 'IDAT' || type === 'IEND') return null;
    if (type === 'eXIf') return bytes.subarray(at + 8, at + 8 + length);
    at += 12 + length;
  }
  return null;
}

/** AVIF has a property of its own: quarters of a turn (`irot`, ISO/IEC 23008-12). */
function avifTurned(bytes: Uint8Array): boolean {
  const end = Math.min(bytes.length, 65_536) - 5;
  for (let at = 4; at < end; at++)
    if (bytes[at] === 0x69 && ascii(bytes, at, 4) === 'irot') return bytes[at + 4]! % 2 === 1;
  return false;
}

/** Whether the picture is shown with width and height exchanged. Chromium does not turn a WebP, whatever its Exif block says. */
function isTurned(bytes: Uint8Array, format: ImageHeader['format']): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 'avif') return avifTurned(bytes);
  const find = { jpeg: jpegExif, png: pngExif }[format as string];
  const block = find?.(bytes, view);
  return block != null && exifOrientation(block) >= 5;
}

/** Width and height as the picture is shown; null where the header does not say them. */
export function shownSize(
  bytes: Uint8Array,
  { format, width, height }: ImageHeader,
): { readonly width: number; readonly height: number } | null {
  if (width === null || height === null) return null;
  return isTurned(bytes, format) ? { width: height, height: width } : { width, height };
}
