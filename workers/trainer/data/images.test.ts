/** @file The pure parts of image decoding. */
import { describe, expect, it } from 'vitest';
import { toPixels } from '#src/tasks/diffusion/pictures.ts';
import { centreCrop } from '#src/tasks/images/fit.ts';

describe('centreCrop', () => {
  it.each([
    [{ width: 32, height: 32 }, 32, 32, { x: 0, y: 0, width: 32, height: 32 }],
    [{ width: 300, height: 100 }, 32, 32, { x: 100, y: 0, width: 100, height: 100 }],
    [{ width: 100, height: 300 }, 32, 32, { x: 0, y: 100, width: 100, height: 100 }],
    [{ width: 100, height: 100 }, 64, 32, { x: 0, y: 25, width: 100, height: 50 }],
  ])('%o to %i × %i', (from, width, height, crop) => {
    expect(centreCrop(from, width, height)).toEqual(crop);
  });
});

it('lays pixels out by channel, from −1 to 1', () => {
  const rgba = Uint8ClampedArray.of(0, 255, 51, 255, 255, 0, 204, 255);
  const pixels = toPixels({ rgba, width: 2, height: 1 });
  [-1, 1, 1, -1, -0.6, 0.6].forEach((want, i) => expect(pixels[i]).toBeCloseTo(want, 6));
});
