/** @file From the sheets of samples that `npm run tune` leaves to the small pictures of the page, in the models' own pixels. */
import { decode } from 'fast-png';
import { encodePng, type Raster } from '#src/formats/files/png.ts';

/** Of a sheet (scripts/tune/library.ts): pixels between the pictures and around them, the most pictures in a row, and how large one becomes. */
const [GAP, COLUMNS, LARGE] = [8, 8, 128];
/** All built-in models' pictures. */
const SIDE = 32;
/** Between the three pictures of a pair's sample. */
const SEAM = 2;

function raster(png: Uint8Array): Raster {
  const { width, height, data, channels } = decode(png);
  if (channels !== 4 || !(data instanceof Uint8Array)) throw new Error('A sheet of samples is 8-bit RGBA.');
  return { width, height, rgba: data };
}

/** The pictures of a sheet's upper row, unscaled. @param width of each */
function picturesOf(sheet: Raster, width: number): Raster[] {
  const scale = Math.max(1, Math.floor(LARGE / Math.max(width, SIDE)));
  const count = Math.min(COLUMNS, Math.floor((sheet.width - GAP) / (width * scale + GAP)));
  return Array.from({ length: count }, (_, i) => {
    const left = GAP + i * (width * scale + GAP);
    return cut(sheet, { left, top: GAP, width, height: SIDE, scale });
  });
}

function cut(
  from: Raster,
  { left, top, width, height, scale }: Record<'left' | 'top' | 'width' | 'height' | 'scale', number>,
): Raster {
  const rgba = new Uint8Array(4 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = 4 * ((top + y * scale) * from.width + left + x * scale);
      rgba.set(from.rgba.subarray(at, at + 4), 4 * (y * width + x));
    }
  return { width, height, rgba };
}

/** Rows of pictures of one size, without gaps, as a PNG file. */
function joined(rows: readonly (readonly Raster[])[]): Uint8Array {
  const width = SIDE * Math.max(...rows.map((row) => row.length));
  const rgba = new Uint8Array(4 * width * SIDE * rows.length);
  rows.forEach((row, r) => {
    row.forEach((picture, i) => {
      for (let y = 0; y < SIDE; y++)
        rgba.set(
          picture.rgba.subarray(4 * y * SIDE, 4 * (y + 1) * SIDE),
          4 * ((r * SIDE + y) * width + i * SIDE),
        );
    });
  });
  return encodePng({ width, height: SIDE * rows.length, rgba });
}

/**
 * The card's picture: of diffusion the untouched model's samples above the tuned one's; of pairs the inputs, what the untouched model makes of
 * them, and what the tuned one makes; of classifiers the pictures that they name.
 */
export function stripOf(task: string, before: Uint8Array, after: Uint8Array): Uint8Array {
  const sheets = [raster(before), raster(after)] as const;
  if (task === 'pairs') {
    const triples = sheets.map((sheet) => picturesOf(sheet, 3 * SIDE + 2 * SEAM));
    const part = (of: readonly Raster[], i: number): Raster[] =>
      of.map((picture) =>
        cut(picture, { left: i * (SIDE + SEAM), top: 0, width: SIDE, height: SIDE, scale: 1 }),
      );
    return joined([part(triples[0]!, 0), part(triples[0]!, 1), part(triples[1]!, 1)]);
  }
  const rows = sheets.map((sheet) => picturesOf(sheet, SIDE));
  return joined(task === 'diffusion' ? rows : rows.slice(0, 1));
}

/** The two sheets, one above the other. */
export function sheetOf(before: Uint8Array, after: Uint8Array): Uint8Array {
  const [above, below] = [raster(before), raster(after)];
  const rgba = new Uint8Array(above.rgba.length + below.rgba.length);
  rgba.set(above.rgba);
  rgba.set(below.rgba, above.rgba.length);
  return encodePng({ width: above.width, height: above.height + below.height, rgba });
}
