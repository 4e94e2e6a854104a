/** @file Encoded images → the model's pixels, by the browser's own decoders. */
import type { Decode } from '#src/tasks/diffusion/data.ts';

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

/** RGBA bytes → CHW, RGB, v/127.5 − 1. Alpha is left out: the picture must be opaque. */
export function toPixels(rgba: Uint8ClampedArray, width: number, height: number): Float32Array {
  const plane = width * height;
  const out = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) out[c * plane + i] = rgba[4 * i + c]! / 127.5 - 1;
  return out;
}

/**
 * Decodes, turns as the camera noted, lays over white, crops to the centre and scales. A picture that has the model's size already
 * keeps its exact values.
 */
export const decodeImage: Decode = async (bytes, width, height) => {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  } catch {
    throw new Error('the browser cannot decode it');
  }
  try {
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
    return toPixels(context.getImageData(0, 0, width, height).data, width, height);
  } finally {
    bitmap.close();
  }
};
