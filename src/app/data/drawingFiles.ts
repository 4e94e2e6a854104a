/** @file Drawings as PNG files, and back. */
import { encodePng } from '#src/formats/files/png.ts';
import { fromRgba, type Pixels, rgbaOf } from './pixels.ts';

/** A drawing as training data: a caption and an opaque PNG. */
export interface DrawnFile {
  readonly name: string;
  readonly blob: Blob;
}

/** The same picture is written once. */
const written = new WeakMap<Pixels, Blob>();

export function pngOf(pixels: Pixels): Blob {
  const known = written.get(pixels);
  if (known) return known;
  const { size } = pixels;
  const bytes = encodePng({ width: size, height: size, rgba: rgbaOf(pixels) });
  const blob = new Blob([new Uint8Array(bytes)], { type: 'image/png' });
  written.set(pixels, blob);
  return blob;
}

/** Any picture that the browser reads, brought to the size of a drawing: its own pixels where it has that size. Rejects for what is none. */
export async function drawingOf(blob: Blob, size: number): Promise<Pixels> {
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const scale = size / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingEnabled = scale < 1;
  context.drawImage(bitmap, (size - width) / 2, (size - height) / 2, width, height);
  bitmap.close();
  return fromRgba(size, context.getImageData(0, 0, size, size).data);
}
