/** @file Which way up a picture is shown: cameras note how they were held, and the picture is turned by that, as Pillow's exif_transpose does. */
import { ascii, exifOrientation, notedOrientation, type Orientation } from './exif.ts';
import type { ImageHeader } from './probe.ts';

export type { Orientation };

/**
 * What is still to be done to the stored pixels. Browsers turn by an AVIF's or HEIC's own properties (`irot`, `imir`), which are part of the
 * picture; all other notes are taken from the file before the browser sees it, since browsers differ in which they heed.
 */
export async function orientationOf(bytes: Uint8Array, format: ImageHeader['format']): Promise<Orientation> {
  if (format === 'jpeg' || format === 'png' || format === 'webp') return notedOrientation(bytes, format);
  return format === 'tiff' ? (exifOrientation(bytes) ?? 1) : 1;
}

/** Quarters of a turn in an AVIF or HEIC (`irot`, ISO/IEC 23008-12). */
function quarterTurned(bytes: Uint8Array): boolean {
  const end = Math.min(bytes.length, 65_536) - 5;
  for (let at = 4; at < end; at++)
    if (bytes[at] === 0x69 && ascii(bytes, at, 4) === 'irot') return bytes[at + 4]! % 2 === 1;
  return false;
}

/** Width and height as the picture is shown; null where the header does not say them. */
export async function shownSize(
  bytes: Uint8Array,
  { format, width, height }: ImageHeader,
): Promise<{ readonly width: number; readonly height: number } | null> {
  if (width === null || height === null) return null;
  const turned =
    format === 'avif' || format === 'heic' ? quarterTurned(bytes) : (await orientationOf(bytes, format)) >= 5;
  return turned ? { width: height, height: width } : { width, height };
}

/**
 * Where a stored picture's pixels go when it is turned: x′ = a·x + c·y + e, y′ = b·x + d·y + f, as a canvas takes its transform.
 * @param width,height of the stored picture
 */
export function turning(
  orientation: Orientation,
  width: number,
  height: number,
): readonly [a: number, b: number, c: number, d: number, e: number, f: number] {
  switch (orientation) {
    case 1:
      return [1, 0, 0, 1, 0, 0];
    case 2:
      return [-1, 0, 0, 1, width, 0];
    case 3:
      return [-1, 0, 0, -1, width, height];
    case 4:
      return [1, 0, 0, -1, 0, height];
    case 5:
      return [0, 1, 1, 0, 0, 0];
    case 6:
      return [0, 1, -1, 0, height, 0];
    case 7:
      return [0, -1, -1, 0, height, width];
    case 8:
      return [0, -1, 1, 0, 0, width];
  }
}
