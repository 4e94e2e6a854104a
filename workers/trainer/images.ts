/** @file Encoded images → pixels, by the browser's own decoders. */
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

/**
 * Decodes, turns as the camera noted, lays over white, and where a size is asked for crops to the centre and scales. A picture that has
 * that size already keeps its exact values.
 */
export const decodeImage: TaskHost['decodeImage'] = async (bytes, _, size) => {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  } catch {
    throw new Error('the browser cannot decode it');
  }
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
