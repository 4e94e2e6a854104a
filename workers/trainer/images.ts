/** @file Encoded images → pixels, by the browser's own decoders; SVGs by the page. */
import { probeImage } from '#src/tasks/images/probe.ts';
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

/**
 * Decodes, turns as the camera noted, lays over white, and where a size is asked for crops to the centre and scales. A picture that has
 * that size already keeps its exact values. Of moving pictures the first is taken.
 */
export const imageDecoder =
  (drawSvg: () => DrawSvg | null): TaskHost['decodeImage'] =>
  async (bytes, _, size) => {
    const bitmap = await bitmapOf(bytes, drawSvg(), size);
    try {
      const { width, height } = size ?? bitmap;
      const canvas = new OffscreenCanvas(width, height);
      // A canvas on the GPU may round differently from machine to machine.
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('the browser gives no canvas');
      context.fillStyle = 'white';
      context.fillRect(0, 0, width, height);
      const crop = centreCrop(bitmap, width, height);
      context.imageSmoothingEnabled = crop.width !== width || crop.height !== height;
      context.imageSmoothingQuality = 'high';
      context.drawImage(bitmap, crop.x, crop.y, crop.width, crop.height, 0, 0, width, height);
      return { width, height, rgba: context.getImageData(0, 0, width, height).data };
    } finally {
      bitmap.close();
    }
  };
