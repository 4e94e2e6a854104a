/** @file TIFF files: the first page, by a library that is loaded when the first one is read. What it would get wrong is refused by name. */
import { Reason } from '#src/platform/refusals.ts';
// By its default alone, which Node's own imports, too, find of a CommonJS module.
import utif, { type IFD } from 'utif2';
import type { RawImage } from '#src/tasks/types.ts';
import { tiffDirectory, tiffNumbers } from './exif.ts';
import { NotDecoded } from './foreign.ts';
import { isWholeLzw } from './lzw.ts';
import { overWhite } from './overWhite.ts';

/** TIFF 6.0 and its supplements: compressions that are read, and names of those that are not. */
const READ = new Set([1, 5, 7, 8, 32_773, 32_946]);
const compressions: Readonly<Record<number, string>> = {
  2: 'fax',
  3: 'fax',
  4: 'fax',
  6: 'old JPEG',
  34_661: 'JBIG',
  34_712: 'JPEG 2000',
  34_887: 'LERC',
  34_925: 'LZMA',
  50_000: 'Zstandard',
  50_001: 'WebP',
  50_002: 'JPEG XL',
};

interface Facts {
  readonly compression: number;
  readonly photometric: number;
  readonly samples: number;
  readonly bits: readonly number[];
  readonly planar: number;
  readonly sampleFormat: readonly number[];
  /** Of what is beyond the colours: 1: alpha that they are multiplied by already, 2: alpha, else nothing of the picture. */
  readonly extra: number;
}

/** Numbers of a tag of the first page, or the one that stands for them where it is left out. */
type Numbers = (tag: number, otherwise?: number) => readonly number[];

/** Strips or tiles of a page at most. */
const PARTS = 2 ** 16;

function numbersIn(bytes: Uint8Array): Numbers {
  const directory = tiffDirectory(bytes);
  if (!directory) throw new Reason('it is a damaged TIFF');
  return (tag, otherwise) => {
    const entry = directory.entries.find((e) => e.tag === tag);
    const found = entry ? tiffNumbers(bytes, directory.little, entry, PARTS) : [];
    return found.length > 0 || otherwise === undefined ? found : [otherwise];
  };
}

function factsOf(numbers: Numbers): Facts {
  return {
    compression: numbers(259, 1)[0]!,
    photometric: numbers(262, 1)[0]!,
    samples: numbers(277, 1)[0]!,
    bits: numbers(258, 1),
    planar: numbers(284, 1)[0]!,
    sampleFormat: numbers(339, 1),
    extra: numbers(338, 0)[0]!,
  };
}

/** What of the file's structure is not decoded; null: nothing. */
function obstacle({ compression, photometric, samples, bits, planar, sampleFormat }: Facts): string | null {
  if (!READ.has(compression)) return `${compressions[compression] ?? `unknown (${compression})`} compression`;
  if (sampleFormat.some((f) => f !== 1 && f !== 4)) return 'numbers that are not whole';
  if (bits.some((b) => b !== bits[0]) || ![1, 2, 4, 8, 16].includes(bits[0]!))
    return `${[...new Set(bits)].join(' and ')} bits`;
  if (planar === 2 && samples > 1) return 'colours in separate planes';
  if (![0, 1, 2, 3, 5, 6].includes(photometric)) return `another colour space (${photometric})`;
  if (samples > (photometric === 5 ? 5 : 4)) return `${samples} channels`;
  if (photometric > 1 && photometric !== 3 && bits[0]! < 8) return `${bits[0]} bits in colour`;
  if (photometric === 5 && bits[0] !== 8) return `CMYK of ${bits[0]} bits`;
  if (photometric === 6 && compression !== 7) return 'YCbCr without JPEG';
  return null;
}

/** Tags that the library reads beside those of the strips or tiles. */
const TAGS = [256, 257, 258, 259, 262, 266, 277, 278, 317, 320, 322, 323, 338, 339, 347];

/** A byte with its bits in the other order. */
const mirrored = (byte: number): number =>
  Array.from({ length: 8 }, (_, i) => ((byte >> i) & 1) << (7 - i)).reduce((a, b) => a | b);

/**
 * The first page's directory with just what belongs to its pixels, all of it inside the file: the library trusts what it is given, and would run for
 * minutes on a damaged one.
 */
function directoryOf(bytes: Uint8Array, numbers: Numbers, { bits, samples, compression }: Facts): IFD {
  const one = (tag: number, otherwise: number): number => numbers(tag, otherwise)[0]!;
  const [width, height] = [one(256, 0), one(257, 0)];
  const tiled = numbers(322).length > 0;
  const tile = [one(322, width), one(323, Math.min(height, one(278, height)))] as const;
  const [offsets, counts] = [numbers(tiled ? 324 : 273), numbers(tiled ? 325 : 279)];
  const parts = tiled
    ? Math.ceil(width / tile[0]) * Math.ceil(height / tile[1])
    : Math.ceil(height / tile[1]);
  const rowBytes = Math.ceil((width * samples * bits[0]!) / 8);
  const whole =
    tile.every((side) => side > 0 && side <= 2 * Math.max(width, height, 512)) &&
    parts > 0 &&
    parts <= PARTS &&
    offsets.length >= parts &&
    counts.length >= parts &&
    offsets.every((at, i) => i >= parts || at + counts[i]! <= bytes.length) &&
    // Stored pixels lie there as they are.
    (compression !== 1 || tiled || counts.slice(0, parts).reduce((n, c) => n + c, 0) >= rowBytes * height);
  if (!whole) throw new RangeError('strips beyond the file');
  if (compression === 5) {
    const most = 2 * Math.ceil((tile[0] * tile[1] * samples * bits[0]!) / 8) + 4096;
    const turned = one(266, 1) === 2;
    for (let i = 0; i < parts; i++) {
      const part = bytes.subarray(offsets[i], offsets[i]! + counts[i]!);
      if (!isWholeLzw(turned ? part.map(mirrored) : part, most)) throw new RangeError('codes of nothing');
    }
  }
  const page: Record<string, unknown> = {};
  for (const tag of TAGS) {
    const found = numbers(tag);
    if (found.length > 0) page[`t${tag}`] = [...found];
  }
  page[tiled ? 't324' : 't273'] = offsets.slice(0, parts);
  page[tiled ? 't325' : 't279'] = counts.slice(0, parts);
  return page as unknown as IFD;
}

/**
 * The first page as it is stored, not yet turned.
 * @throws NotDecoded for a kind of TIFF that is not read
 * @throws Reason with the reason if it is damaged
 */
export function decodeTiff(bytes: Uint8Array): RawImage {
  const numbers = numbersIn(bytes);
  const facts = factsOf(numbers);
  const trouble = obstacle(facts);
  if (trouble !== null) throw new NotDecoded(`TIFF with ${trouble}`);
  try {
    const page = directoryOf(bytes, numbers, facts);
    utif.decodeImage(bytes.slice().buffer, page);
    const { width, height, data } = page;
    return { width, height, rgba: pixelsOf(facts, data, width * height, () => utif.toRGBA8(page)) };
  } catch {
    throw new Reason('it is a damaged TIFF, or one of a rare kind');
  }
}

function pixelsOf(
  { photometric, samples, bits, compression, extra }: Facts,
  data: Uint8Array,
  pixels: number,
  rest: () => Uint8Array,
): Uint8ClampedArray<ArrayBuffer> {
  const wanted = Math.ceil((pixels * samples * bits[0]!) / 8);
  if (data.length < wanted) throw new RangeError('too few bytes');
  if (photometric === 5) return overWhite(fromCmyk(data, samples, pixels), 3, 8, pixels);
  const deep = bits[0] === 16;
  if (photometric > 2 || bits[0]! < 8 || compression === 7) return overWhite(rest(), 4, 8, pixels);
  // The library leaves samples of 16 bits in little-endian order, whatever the file's.
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const read = deep ? (i: number) => view.getUint16(2 * i, true) : (i: number) => data[i]!;
  const most = deep ? 65_535 : 255;
  const colours = Math.min(samples, photometric === 2 ? 3 : 1);
  const alpha = samples > colours && (extra === 1 || extra === 2);
  const kept = colours + Number(alpha);
  const out = new Uint16Array(pixels * kept);
  for (let i = 0; i < pixels; i++) {
    const a = alpha ? read(i * samples + colours) : most;
    for (let c = 0; c < colours; c++) {
      const stored = read(i * samples + c);
      const v = photometric === 0 ? most - stored : stored;
      out[i * kept + c] = extra === 1 && a > 0 ? Math.min(most, Math.round((v * most) / a)) : v;
    }
    if (alpha) out[i * kept + colours] = a;
  }
  return overWhite(out, kept, deep ? 16 : 8, pixels);
}

/** As Pillow converts it: each colour is what black and its ink leave, 255 − K − C·(255 − K)/255. */
function fromCmyk(data: Uint8Array, samples: number, pixels: number): Uint8Array {
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const light = 255 - data[i * samples + 3]!;
    for (let c = 0; c < 3; c++)
      rgb[3 * i + c] = light - Math.floor((data[i * samples + c]! * light) / 255 + 0.5);
  }
  return rgb;
}
