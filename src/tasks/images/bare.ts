/**
 * @file A picture's file without what browsers do different things with: notes of the camera, colour profiles, gamma. What is left are the stored
 * pixels, which is what Pillow reads, and so what nearly every model has learnt from.
 */
import { ascii, jpegPieces, type Piece, pngPieces, viewOf, webpPieces } from './exif.ts';
import type { ImageHeader } from './probe.ts';

const pngNotes = new Set(['gAMA', 'cHRM', 'iCCP', 'sRGB', 'cICP', 'mDCV', 'cLLI', 'eXIf']);

/** The file without some of its pieces; the very same bytes where there is none of them. */
function without(bytes: Uint8Array, pieces: readonly Piece[]): Uint8Array {
  if (pieces.length === 0) return bytes;
  const kept = new Uint8Array(bytes.length - pieces.reduce((n, { start, end }) => n + end - start, 0));
  let [from, to] = [0, 0];
  for (const { start, end } of [...pieces, { start: bytes.length, end: bytes.length }]) {
    kept.set(bytes.subarray(from, start), to);
    to += start - from;
    from = end;
  }
  return kept;
}

/** VP8X says which notes follow: profile, Exif, XMP. */
const WEBP_NOTES = 0x20 | 0x08 | 0x04;

function bareWebp(bytes: Uint8Array): Uint8Array {
  const notes = [...webpPieces(bytes)].filter(({ name }) => ['ICCP', 'EXIF', 'XMP '].includes(name));
  const kept = without(bytes, notes);
  if (kept === bytes) return bytes;
  viewOf(kept).setUint32(4, kept.length - 8, true);
  if (ascii(kept, 12, 4) === 'VP8X') kept[20] = kept[20]! & ~WEBP_NOTES;
  return kept;
}

/** The same picture for any browser; formats that need nothing taken out come back as they are. */
export function bare(bytes: Uint8Array, format: ImageHeader['format']): Uint8Array {
  if (format === 'webp') return bareWebp(bytes);
  if (format === 'png')
    return without(
      bytes,
      [...pngPieces(bytes)].filter(({ name }) => pngNotes.has(name)),
    );
  if (format === 'jpeg')
    // E1: Exif and XMP; E2: profiles. Adobe's EE stays: it says how CMYK is stored.
    return without(
      bytes,
      [...jpegPieces(bytes)].filter(({ name }) => name === 'E1' || name === 'E2'),
    );
  return bytes;
}
