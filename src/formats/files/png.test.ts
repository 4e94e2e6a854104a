import fc from 'fast-check';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { contactSheet, encodePng, type Raster } from './png.ts';

const decode = (file: Uint8Array): Raster => {
  const { width, height, data } = PNG.sync.read(Buffer.from(file));
  return { width, height, rgba: new Uint8Array(data) };
};
const solid = (width: number, height: number, colour: number[]): Raster => ({
  width,
  height,
  rgba: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => colour[i % 4]!),
});
const pixel = (p: Raster, x: number, y: number): number[] => [
  ...p.rgba.subarray(4 * (y * p.width + x), 4 * (y * p.width + x) + 4),
];

describe('encodePng', () => {
  it('writes what another decoder reads, whose checksums it passes', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
          .chain(([w, h]) =>
            fc.tuple(fc.constant(w), fc.uint8Array({ minLength: 4 * w * h, maxLength: 4 * w * h })),
          ),
        ([width, rgba]) => {
          const height = rgba.length / 4 / width;
          expect(decode(encodePng({ width, height, rgba }))).toEqual({ width, height, rgba });
        },
      ),
    );
  });

  it('refuses pixels that do not fill the picture', () => {
    expect(() => encodePng({ width: 2, height: 2, rgba: new Uint8Array(12) })).toThrow(/takes 16 bytes, 12/);
  });
});

describe('contactSheet', () => {
  const red = solid(2, 1, [255, 0, 0, 255]);
  const green = solid(1, 2, [0, 255, 0, 255]);
  const mixed: Raster = { width: 2, height: 1, rgba: Uint8Array.of(1, 2, 3, 255, 4, 5, 6, 255) };

  it('lays pictures in rows with gaps, enlarged by whole pixels', () => {
    const sheet = contactSheet([red, green, mixed], {
      columns: 2,
      scale: 3,
      gap: 1,
      background: [9, 9, 9, 255],
    });
    expect([sheet.width, sheet.height]).toEqual([2 * 7 + 1, 2 * 7 + 1]);
    expect(pixel(sheet, 0, 0)).toEqual([9, 9, 9, 255]);
    expect(pixel(sheet, 6, 3)).toEqual([255, 0, 0, 255]);
    expect(pixel(sheet, 6, 4)).toEqual([9, 9, 9, 255]);
    expect(pixel(sheet, 10, 6)).toEqual([0, 255, 0, 255]);
    expect(pixel(sheet, 11, 6)).toEqual([9, 9, 9, 255]);
    expect([pixel(sheet, 3, 8), pixel(sheet, 4, 8)]).toEqual([
      [1, 2, 3, 255],
      [4, 5, 6, 255],
    ]);
  });

  it('makes a square by itself and refuses nothing at all', () => {
    expect(contactSheet([red, red, red, red]).width).toBe(4);
    expect(() => contactSheet([])).toThrow(/at least one/);
  });
});
