/** @file Encoded images → pixels, by the browser's own decoders where all browsers agree; SVGs by the page. */
import { Reason } from '#src/platform/refusals.ts';
import { bare } from '#src/tasks/images/bare.ts';
import { fitted, type ReadPixels } from '#src/tasks/images/fit.ts';
import { NotDecoded } from '#src/tasks/images/foreign.ts';
import { orientationOf, type Orientation, turning } from '#src/tasks/images/orientation.ts';
import { checkedHeader, type ImageHeader } from '#src/tasks/images/probe.ts';
import type { PictureSize, RawImage, TaskHost } from '#src/tasks/types.ts';

/** Draws the part of an SVG that is shown. Workers have no SVG of their own: the page lends it. */
export type DrawSvg = (
  svg: Uint8Array,
  /** The SVG's own size, pixels. */
  own: { readonly width: number; readonly height: number },
  /** Of the picture. */
  size: { readonly width: number; readonly height: number },
) => Promise<ImageBitmap>;

/** CSS gives a picture without a size so many pixels. */
const unsized = { width: 300, height: 150 };

const bitmapOf = ({ width, height, rgba }: RawImage): Promise<ImageBitmap> =>
  createImageBitmap(new ImageData(rgba as Uint8ClampedArray<ArrayBuffer>, width, height));

/** The stored pixels, not turned; an AVIF's own turns are part of it. */
async function decoded(bytes: Uint8Array, format: ImageHeader['format']): Promise<ImageBitmap> {
  if (format === 'tiff') return bitmapOf((await import('#src/tasks/images/tiff.ts')).decodeTiff(bytes));
  if (format === 'png' && bytes[24] === 16)
    return bitmapOf((await import('#src/tasks/images/deep.ts')).decodeDeepPng(bytes));
  const file = new Blob([bare(bytes, format) as Uint8Array<ArrayBuffer>]);
  try {
    return await createImageBitmap(file, { colorSpaceConversion: 'none' });
  } catch {
    // Safari reads HEIC; others do not.
    if (format === 'heic') throw new NotDecoded('HEIC', 'browser');
    throw new Reason('the browser cannot decode it');
  }
}

/** The size of an SVG that shows all of it where it is stretched or padded. */
async function drawn(
  bytes: Uint8Array,
  header: ImageHeader,
  drawSvg: DrawSvg | null,
  size: PictureSize | undefined,
): Promise<ImageBitmap> {
  if (!drawSvg) throw new Reason('an SVG is drawn by the page, which is not there');
  const own = { width: header.width ?? unsized.width, height: header.height ?? unsized.height };
  if (!size || (size.fit ?? 'crop') === 'crop')
    return drawSvg(bytes, own, size ?? { width: Math.ceil(own.width), height: Math.ceil(own.height) });
  // Large enough that scaling only makes it smaller.
  const scale = Math.max(1, size.width / own.width, size.height / own.height);
  const side = (n: number): number => Math.max(1, Math.round(n * scale));
  return drawSvg(bytes, own, { width: side(own.width), height: side(own.height) });
}

/** Parts of a bitmap as it is shown, over white, scaled by nothing. */
function reader(bitmap: ImageBitmap, orientation: Orientation): ReadPixels {
  let context: OffscreenCanvasRenderingContext2D | null = null;
  return (x, y, width, rows) => {
    if (!context) {
      // A canvas on the GPU may round differently from machine to machine.
      context = new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true });
      if (!context) throw new Reason('the browser gives no canvas');
      context.imageSmoothingEnabled = false;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, rows);
    if (orientation === 1) context.drawImage(bitmap, x, y, width, rows, 0, 0, width, rows);
    else {
      const [a, b, c, d, e, f] = turning(orientation, bitmap.width, bitmap.height);
      context.setTransform(a, b, c, d, e - x, f - y);
      context.drawImage(bitmap, 0, 0);
    }
    return context.getImageData(0, 0, width, rows).data;
  };
}

/**
 * Decodes, turns as the camera noted, lays over white, and where a size is asked for cuts, stretches or pads to it and scales as Pillow does. A
 * picture that has that size already keeps its exact values. Of moving pictures the first is taken. Colour profiles and gamma are not applied.
 */
export const imageDecoder =
  (drawSvg: () => DrawSvg | null): TaskHost['decodeImage'] =>
  async (bytes, path, size) => {
    const header = checkedHeader(bytes, path);
    const orientation = await orientationOf(bytes, header.format);
    const bitmap =
      header.format === 'svg'
        ? await drawn(bytes, header, drawSvg(), size)
        : await decoded(bytes, header.format);
    try {
      const stored = { width: bitmap.width, height: bitmap.height };
      const own = orientation >= 5 ? { width: stored.height, height: stored.width } : stored;
      const { width, height } = size ?? own;
      return { width, height, rgba: await fitted(own, size ?? own, reader(bitmap, orientation)) };
    } finally {
      bitmap.close();
    }
  };
