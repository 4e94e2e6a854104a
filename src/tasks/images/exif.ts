/** @file What a picture's file notes beside its pixels: blocks of Exif and XMP, and which of eight ways up they say. As Pillow reads them. */
import { streamed } from '#src/platform/streamed.ts';

/** 1: as it is stored; 2 to 8: mirrored, turned, or both (Exif 2.32, tag 0x0112). */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A piece of a file: a JPEG's segment, a PNG's or a RIFF's chunk. */
export interface Piece {
  /** A marker ("E1") or a chunk's name. */
  readonly name: string;
  /** Of the whole piece in the file, [start, end). */
  readonly start: number;
  readonly end: number;
  readonly content: Uint8Array;
}

/** Segments before the first scan. */
export function* jpegPieces(bytes: Uint8Array): Generator<Piece> {
  const view = viewOf(bytes);
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    // Markers may be preceded by any number of fill bytes.
    if (marker === 0xff) at++;
    else if (marker === 0xda || marker === 0xd9) return;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else {
      const end = at + 2 + Math.max(2, view.getUint16(at + 2));
      const name = marker.toString(16).toUpperCase();
      yield { name, start: at, end: Math.min(end, bytes.length), content: bytes.subarray(at + 4, end) };
      at = end;
    }
  }
}

export function* pngPieces(bytes: Uint8Array): Generator<Piece> {
  const view = viewOf(bytes);
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    const name = ascii(bytes, at + 4, 4);
    yield {
      name,
      start: at,
      end: Math.min(end, bytes.length),
      content: bytes.subarray(at + 8, at + 8 + length),
    };
    if (name === 'IEND') return;
    at = end;
  }
}

export function* webpPieces(bytes: Uint8Array): Generator<Piece> {
  const view = viewOf(bytes);
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length + (length & 1);
    yield {
      name: ascii(bytes, at, 4),
      start: at,
      end: Math.min(end, bytes.length),
      content: bytes.subarray(at + 8, at + 8 + length),
    };
    at = end;
  }
}

const valid = (value: number | null): Orientation | null =>
  value !== null && value >= 1 && value <= 8 && Number.isInteger(value) ? (value as Orientation) : null;

/** An entry of the first directory of a TIFF structure: its type, count, and the offset of its four bytes. */
export interface TiffEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly at: number;
}

/** The first directory of a TIFF structure (an Exif block is one); null: there is none. */
export function tiffDirectory(
  tiff: Uint8Array,
): { readonly little: boolean; readonly entries: readonly TiffEntry[] } | null {
  if (tiff.length < 14) return null;
  const view = viewOf(tiff);
  const order = ascii(tiff, 0, 2);
  if (order !== 'II' && order !== 'MM') return null;
  const little = order === 'II';
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return null;
  const count = view.getUint16(directory, little);
  const entries: TiffEntry[] = [];
  for (let i = 0; i < count; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > tiff.length) break;
    entries.push({
      tag: view.getUint16(at, little),
      type: view.getUint16(at + 2, little),
      count: view.getUint32(at + 4, little),
      at: at + 8,
    });
  }
  return { little, entries };
}

/** Whole numbers of an entry (bytes, shorts or longs), as many as there are in the file. */
export function tiffNumbers(tiff: Uint8Array, little: boolean, entry: TiffEntry, most = 16): number[] {
  const size = { 1: 1, 3: 2, 4: 4, 7: 1 }[entry.type];
  if (size === undefined) return [];
  const view = viewOf(tiff);
  const count = Math.min(entry.count, most);
  const from = entry.count * size <= 4 ? entry.at : view.getUint32(entry.at, little);
  const numbers: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = from + i * size;
    if (at + size > tiff.length) break;
    numbers.push(
      size === 1 ? tiff[at]! : size === 2 ? view.getUint16(at, little) : view.getUint32(at, little),
    );
  }
  return numbers;
}

/** Of an Exif block, with or without its mark; null: it says none, or is damaged. */
export function exifOrientation(block: Uint8Array): Orientation | null {
  const tiff = ascii(block, 0, 6) === 'Exif\0\0' ? block.subarray(6) : block;
  const directory = tiffDirectory(tiff);
  const entry = directory?.entries.find(({ tag }) => tag === 0x0112);
  return entry ? valid(tiffNumbers(tiff, directory!.little, entry, 1)[0] ?? null) : null;
}

const latin = new TextDecoder('latin1');

/** What XMP says of it: cameras write it into Exif, some programs only here. */
function xmpOrientation(block: Uint8Array): Orientation | null {
  const found = /tiff:Orientation(?:="|>)([0-9])/.exec(latin.decode(block));
  return found ? valid(Number(found[1])) : null;
}

/** ImageMagick's text chunk of an Exif block: "exif", the length, and the bytes as hexadecimal digits, line by line. */
async function rawProfile(name: string, content: Uint8Array): Promise<Uint8Array | null> {
  const key = latin.decode(content.subarray(0, 32));
  if (!/^Raw profile type (exif|APP1)\0/.test(key)) return null;
  const from = key.indexOf('\0') + 1;
  try {
    const text = latin.decode(
      name === 'zTXt'
        ? // A block is 64 KB at most: anything that would unpack to more is none.
          await streamed(content.subarray(from + 1), new DecompressionStream('deflate'), 2 ** 18)
        : content.subarray(from),
    );
    const digits = text.replaceAll('\0', '').split('\n').slice(3).join('').replace(/\s/g, '');
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  } catch {
    return null;
  }
}

interface Notes {
  exif: Orientation | null;
  xmp: Orientation | null;
}

function note(found: Notes, part: Partial<Notes>): void {
  found.exif ??= part.exif ?? null;
  found.xmp ??= part.xmp ?? null;
}

const XMP_MARK = 'http://ns.adobe.com/xap/1.0/\0';

/** The note of a JPEG, PNG or WebP: Exif's, else XMP's; 1 where there is none. */
export async function notedOrientation(
  bytes: Uint8Array,
  format: 'jpeg' | 'png' | 'webp',
): Promise<Orientation> {
  const found: Notes = { exif: null, xmp: null };
  if (format === 'jpeg')
    for (const { name, content } of jpegPieces(bytes)) {
      if (name !== 'E1') continue;
      if (ascii(content, 0, 6) === 'Exif\0\0') note(found, { exif: exifOrientation(content) });
      else if (ascii(content, 0, XMP_MARK.length) === XMP_MARK) note(found, { xmp: xmpOrientation(content) });
    }
  else if (format === 'webp')
    for (const { name, content } of webpPieces(bytes)) {
      if (name === 'EXIF') note(found, { exif: exifOrientation(content) });
      else if (name === 'XMP ') note(found, { xmp: xmpOrientation(content) });
    }
  else
    for (const { name, content } of pngPieces(bytes)) {
      if (name === 'eXIf') note(found, { exif: exifOrientation(content) });
      else if (name === 'iTXt' && ascii(content, 0, 17) === 'XML:com.adobe.xmp')
        note(found, { xmp: xmpOrientation(content) });
      else if (name === 'zTXt' || name === 'tEXt') {
        const block = await rawProfile(name, content);
        if (block) note(found, { exif: exifOrientation(block) });
      }
    }
  return found.exif ?? found.xmp ?? 1;
}
