/** @file TIFF files: the first page, by a library that is loaded when the first one is read. What it would get wrong is refused by name. */
import { decode, decodeImage, toRGBA8 } from 'utif2';
import type { RawImage } from '#src/tasks/types.ts';
import { tiffDirectory, tiffNumbers } from './exif.ts';
import { NotDecoded } from './foreign.ts';
import { overWhite } from './overWhite.ts';

/** TIFF 6.0 and its supplements: compressions that are read, and names of those that are not. */
const READ = new Set([1, 2, 3, 4, 5, 7, 8, 32_773, 32_946]);
const compressions: Readonly<Record<number, string>> = {
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
}

function factsOf(bytes: Uint8Array): Facts {
  const directory = tiffDirectory(bytes);
  if (!directory) throw new Error('it is a damaged TIFF');
  const numbers = (tag: number, otherwise: number): readonly number[] => {
    const entry = directory.entries.find((e) => e.tag === tag);
    const found = entry ? tiffNumbers(bytes, directory.little, entry) : [];
    return found.length > 0 ? found : [otherwise];
  };
  return {
    compression: numbers(259, 1)[0]!,
    photometric: numbers(262, 1)[0]!,
    samples: numbers(277, 1)[0]!,
    bits: numbers(258, 1),
    planar: numbers(284, 1)[0]!,
    sampleFormat: numbers(339, 1),
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

/**
 * The first page as it is stored, not yet turned.
 * @throws NotDecoded for a kind of TIFF that is not read
 * @throws Error with the reason if it is damaged
 */
export function decodeTiff(bytes: Uint8Array): RawImage {
  const facts = factsOf(bytes);
  const trouble = obstacle(facts);
  if (trouble !== null) throw new NotDecoded(`TIFF with ${trouble}`);
  try {
    const buffer = bytes.slice().buffer;
    const page = decode(buffer)[0]!;
    decodeImage(buffer, page);
    const { width, height, data } = page;
    return { width, height, rgba: pixelsOf(facts, data, width * height, () => toRGBA8(page)) };
  } catch {
    throw new Error('it is a damaged TIFF, or one of a rare kind');
  }
}

function pixelsOf(
  { photometric, samples, bits }: Facts,
  data: Uint8Array,
  pixels: number,
  rest: () => Uint8Array,
): Uint8ClampedArray<ArrayBuffer> {
  const wanted = Math.ceil((pixels * samples * bits[0]!) / 8);
  if (data.length < wanted) throw new RangeError('too few bytes');
  // The library leaves samples of 16 bits in little-endian order, whatever the file's.
  if (bits[0] === 16 && photometric <= 2) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const least = photometric === 0 ? 65_535 : 0;
    const colours = photometric === 2 ? 3 : 1;
    const deep = Uint16Array.from({ length: pixels * samples }, (_, i) => {
      const v = view.getUint16(2 * i, true);
      return i % samples < colours ? Math.abs(least - v) : v;
    });
    return overWhite(deep, samples, 16, pixels);
  }
  if (photometric === 5) return overWhite(fromCmyk(data, samples, pixels), 3, 8, pixels);
  return overWhite(rest(), 4, 8, pixels);
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
