/** @file An image's format and size from its first bytes, before any decoder sees it: a small file can claim any size. */
import { Reason } from '#src/platform/refusals.ts';
import { ascii, tiffDirectory, tiffNumbers } from './exif.ts';
import { foreignKind, isRaw, NotDecoded } from './foreign.ts';

export interface ImageHeader {
  readonly format: 'png' | 'jpeg' | 'webp' | 'avif' | 'heic' | 'svg' | 'gif' | 'bmp' | 'tiff';
  /** Pixels; null where the header does not say (an SVG without a size). */
  readonly width: number | null;
  readonly height: number | null;
}

/** Largest side and largest area that are decoded: 64 megapixels take 256 MiB. */
export const largestSide = 16_384;
export const largestArea = 2 ** 26;
/** Bytes of one image file. */
export const largestFile = 2 ** 27;

/** Scans JPEG segments for the frame header (SOF0 … SOF15 without DHT, JPG and DAC). */
function jpegSize(bytes: Uint8Array, view: DataView): readonly [number, number] | null {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) at++;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return [view.getUint16(at + 7), view.getUint16(at + 5)];
    else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return null;
}

/** The logical screen, or the first frame where that is larger: decoders make room for it. */
function gifSize(bytes: Uint8Array, view: DataView): readonly [number, number] {
  const screen = [view.getUint16(6, true), view.getUint16(8, true)] as const;
  const flags = bytes[10] ?? 0;
  let at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  // Extensions before the frame: introducer, label, blocks with their lengths.
  while (bytes[at] === 0x21) {
    at += 2;
    while (bytes[at]) at += 1 + bytes[at]!;
    at++;
  }
  if (bytes[at] !== 0x2c || at + 9 > bytes.length) return screen;
  const word = (offset: number): number => view.getUint16(at + offset, true);
  return [Math.max(screen[0], word(1) + word(5)), Math.max(screen[1], word(3) + word(7))];
}

function webpSize(bytes: Uint8Array, view: DataView): readonly [number, number] | null {
  const low24 = (at: number): number => view.getUint16(at, true) + (bytes[at + 2]! << 16);
  if (bytes.length < 30) return null;
  switch (ascii(bytes, 12, 4)) {
    case 'VP8 ':
      return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
    case 'VP8L': {
      const bits = view.getUint32(21, true);
      return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
    }
    case 'VP8X':
      return [low24(24) + 1, low24(27) + 1];
    default:
      return null;
  }
}

/** The largest `ispe` box (ISO/IEC 23008-12: image spatial extents) of the file's first part. */
function avifSize(bytes: Uint8Array, view: DataView): readonly [number, number] | null {
  let found: readonly [number, number] | null = null;
  const end = Math.min(bytes.length, 65_536) - 16;
  for (let at = 4; at < end; at++)
    if (bytes[at] === 0x69 && ascii(bytes, at, 4) === 'ispe') {
      const size = [view.getUint32(at + 8), view.getUint32(at + 12)] as const;
      if (!found || size[0] * size[1] > found[0] * found[1]) found = size;
    }
  return found;
}

/** TIFF's first page: ImageWidth and ImageLength. */
function tiffSize(bytes: Uint8Array): readonly [number, number] | null {
  const directory = tiffDirectory(bytes);
  const number = (tag: number): number | undefined => {
    const entry = directory?.entries.find((e) => e.tag === tag);
    return entry && tiffNumbers(bytes, directory!.little, entry, 1)[0];
  };
  const [width, height] = [number(256), number(257)];
  return width === undefined || height === undefined ? null : [width, height];
}

/** Pixels per unit, as CSS has them. */
const units: Readonly<Record<string, number>> = {
  '': 1,
  px: 1,
  pt: 4 / 3,
  pc: 16,
  mm: 96 / 25.4,
  cm: 96 / 2.54,
  in: 96,
};

function svgSize(text: string): readonly [number | null, number | null] {
  const tag = /<svg\b[^>]*>/i.exec(text)?.[0] ?? '';
  const length = (name: string): number | null => {
    const found = new RegExp(
      `\\s${name}\\s*=\\s*["']\\s*([\\d.]+(?:e[+-]?\\d+)?)(px|pt|pc|mm|cm|in)?\\s*["']`,
      'i',
    ).exec(tag);
    return found ? Number(found[1]) * units[found[2]?.toLowerCase() ?? '']! : null;
  };
  const box = /\sviewBox\s*=\s*["']([^"']*)["']/i
    .exec(tag)?.[1]
    ?.trim()
    .split(/[\s,]+/)
    .map(Number);
  const [width, height] = [length('width'), length('height')];
  const [w, h] = [box?.[2], box?.[3]];
  if (!(w! > 0 && h! > 0)) return [width, height];
  // The view box has the shape where only one side is given.
  return [
    width ?? (height === null ? w! : (height * w!) / h!),
    height ?? (width === null ? h! : (width * h!) / w!),
  ];
}

/**
 * What the first bytes say. The name does not matter.
 * @returns null for bytes that are none of the formats
 */
export function probeImage(bytes: Uint8Array): ImageHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const of = (
    format: ImageHeader['format'],
    size: readonly [number | null, number | null] | null,
  ): ImageHeader => ({
    format,
    width: size?.[0] ?? null,
    height: size?.[1] ?? null,
  });
  if (bytes.length >= 24 && view.getUint32(0) === 0x89504e47)
    return of('png', [view.getUint32(16), view.getUint32(20)]);
  if (bytes.length >= 4 && view.getUint16(0) === 0xffd8) return of('jpeg', jpegSize(bytes, view));
  if (bytes.length >= 10 && /^GIF8[79]a/.test(ascii(bytes, 0, 6))) return of('gif', gifSize(bytes, view));
  if (bytes.length >= 16 && ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 4) === 'WEBP')
    return of('webp', webpSize(bytes, view));
  if (bytes.length >= 16 && ascii(bytes, 4, 4) === 'ftyp') {
    // Both are HEIF; its brands stand in a list, the own one first.
    const brands = ascii(bytes, 8, Math.min(64, Math.max(24, view.getUint32(0) - 8)));
    if (/avi[fs]/.test(brands)) return of('avif', avifSize(bytes, view));
    if (/hei[cxms]|hev[cxms]/.test(brands)) return of('heic', avifSize(bytes, view));
    if (/mif1|miaf/.test(brands)) return of('avif', avifSize(bytes, view));
  }
  if (bytes.length >= 16 && /^(II\*\0|MM\0\*)/.test(ascii(bytes, 0, 4))) return of('tiff', tiffSize(bytes));
  if (bytes.length >= 26 && ascii(bytes, 0, 2) === 'BM')
    return of('bmp', [view.getInt32(18, true), Math.abs(view.getInt32(22, true))]);
  const start = new TextDecoder()
    .decode(bytes.subarray(0, 4096))
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (start.startsWith('<') && /<svg\b/i.test(start)) return of('svg', svgSize(start));
  return null;
}

const known = 'PNG, JPEG, WebP, AVIF, TIFF, BMP, SVG and GIF are read';

/** Throws with the reason for a file that is empty or too large to be read. */
export function checkedLength(length: number): void {
  if (length === 0) throw new Reason('it is empty, 0 bytes');
  if (length > largestFile)
    throw new Reason(
      `it has ${Math.round(length / 2 ** 20)} MiB; up to ${largestFile / 2 ** 20} MiB are read`,
    );
}

/**
 * The header of an image that may be decoded.
 * @param path the file's name, whose ending tells kinds apart that have no mark of their own
 * @throws NotDecoded for a picture of a kind that nothing here reads
 * @throws Reason with the reason, without the file's name: empty, no image, cut short, or larger than the limits
 */
export function checkedHeader(bytes: Uint8Array, path = ''): ImageHeader {
  checkedLength(bytes.length);
  const header = probeImage(bytes);
  const foreign = header ? null : foreignKind(bytes, path);
  if (foreign !== null) throw new NotDecoded(foreign);
  // A reader of TIFF finds but their thumbnails.
  if (header?.format === 'tiff' && isRaw(path)) throw new NotDecoded('raw photograph');
  if (!header) throw new Reason(`its bytes are no image that is known; ${known}`);
  const { width, height, format } = header;
  if (width === null || height === null) {
    if (format === 'svg') return header;
    throw new Reason('its header has no size: it is damaged or cut short');
  }
  if (!(width >= 1 && height >= 1)) throw new Reason(`its header says ${width} × ${height} pixels`);
  if (width > largestSide || height > largestSide || width * height > largestArea)
    throw new Reason(
      `its header says ${width} × ${height} pixels; sides up to ${largestSide} and ${largestArea / 2 ** 20} megapixels are read`,
    );
  return header;
}
