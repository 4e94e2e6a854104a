/** @file Encoded images → pixels, by the browser's own decoders; SVGs by the page. */
import { probeImage } from '#src/tasks/images/probe.ts';
import { Resampler } from '#src/tasks/images/resample.ts';
import type { TaskHost } from '#src/tasks/types.ts';

/** The largest centred part of a picture that has the shape width : height. */
export function centreCrop(
  from: { readonly width: number; readonly height: number },
  width: number,
  height: number,
): { readonly x: number; readonly y: number; readonly width: number; readonly height: number } {
  const scale = Math.min(from.width / width, from.height / height);
  const [w, h] = [width * scale, height * scale];
  return { x: (from.width - w) / 2, y: (from.height - h) / 2, width: w, height: h };
}

/** Draws the part of an SVG that a centred crop shows. Workers have no SVG of their own: the page lends it. */
export type DrawSvg = (
  svg: Uint8Array,
  /** The SVG's own size, pixels. */
  own: { readonly width: number; readonly height: number },
  /** Of the picture. */
  size: { readonly width: number; readonly height: number },
) => Promise<ImageBitmap>;

/** CSS gives a picture without a size so many pixels. */
const unsized = { width: 300, height: 150 };

async function bitmapOf(
  bytes: Uint8Array,
  drawSvg: DrawSvg | null,
  size: { readonly width: number; readonly height: number } | undefined,
): Promise<ImageBitmap> {
  const header = probeImage(bytes);
  if (header?.format !== 'svg')
    return createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>])).catch(() => {
      throw new Error('the browser cannot decode it');
    });
  if (!drawSvg) throw new Error('an SVG is drawn by the page, which is not there');
  const own = { width: header.width ?? unsized.width, height: header.height ?? unsized.height };
  return drawSvg(bytes, own, size ?? { width: Math.ceil(own.width), height: Math.ceil(own.height) });
}

/** Pixels of a strip that is read from the canvas at once: a large photograph's pixels never lie in memory a second time. */
const STRIP = 2 ** 20;

/** Part of a bitmap over white, scaled by nothing: RGBA. */
function reader(bitmap: ImageBitmap, width: number, height: number) {
  const canvas = new OffscreenCanvas(width, height);
  // A canvas on the GPU may round differently from machine to machine.
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('the browser gives no canvas');
  context.imageSmoothingEnabled = false;
  return (x: number, y: number, rows = height): Uint8ClampedArray<ArrayBuffer> => {
    context.fillStyle = 'white';
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, x, y, width, rows, 0, 0, width, rows);
    return context.getImageData(0, 0, width, rows).data;
  };
}

function resampled(bitmap: ImageBitmap, width: number, height: number): Uint8ClampedArray<ArrayBuffer> {
  const resampler = new Resampler(bitmap, centreCrop(bitmap, width, height), { width, height });
  const [left, right] = resampler.columns;
  const [first, end] = resampler.rows;
  const strip = Math.min(end - first, Math.max(1, Math.floor(STRIP / (right - left))));
  const read = reader(bitmap, right - left, strip);
  for (let y = first; y < end; y += strip) resampler.add(read(left, y, Math.min(strip, end - y)), y);
  return resampler.finish();
}

/**
 * Decodes, turns as the camera noted, lays over white, and where a size is asked for crops to the centre and scales as Pillow does (bicubic). A picture
 * that has that size already keeps its exact values. Of moving pictures the first is taken.
 */
export const imageDecoder =
  (drawSvg: () => DrawSvg | null): TaskHost['decodeImage'] =>
  async (bytes, _, size) => {
    const bitmap = await bitmapOf(bytes, drawSvg(), size);
    try {
      const { width, height } = size ?? bitmap;
      const crop = centreCrop(bitmap, width, height);
      const plain = crop.width === width && crop.height === height;
      const rgba = plain
        ? reader(bitmap, width, height)(Math.floor(crop.x), Math.floor(crop.y))
        : resampled(bitmap, width, height);
      return { width, height, rgba };
    } finally {
      bitmap.close();
    }
  };
