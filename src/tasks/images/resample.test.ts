import { describe, expect, it } from 'vitest';
import { Resampler } from './resample.ts';
// What Pillow 13 made of the same pattern (make_resampled.py); of large results the first 300 pixels.
import cases from './testing/resampled.json' with { type: 'json' };

const [width, height] = [61, 43];

/** Rings that grow finer, out of step in the three channels: RGBA of some rows and columns. */
function pattern([left, right]: readonly [number, number], [top, bottom]: readonly [number, number]) {
  const out: number[] = [];
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++)
      out.push(...[3, 5, 11].map((k, c) => (Math.floor(((x * x + y * y) * k) / 8) + x * c) % 256), 255);
  return Uint8ClampedArray.from(out);
}

describe('scaling', () => {
  it.each(cases)('to $size of $box has every byte of Pillow', ({ size, box, rgb }) => {
    const [x, y, right, bottom] = box as [number, number, number, number];
    const resampler = new Resampler(
      { width, height },
      { x, y, width: right - x, height: bottom - y },
      { width: size[0]!, height: size[1]! },
    );
    const [first, end] = resampler.rows;
    for (let row = first; row < end; row += 5)
      resampler.add(pattern(resampler.columns, [row, Math.min(end, row + 5)]), row);
    const rgba = resampler.finish();
    expect(rgba).toHaveLength(4 * size[0]! * size[1]!);
    const got = Array.from(rgba).filter((_, i) => i % 4 !== 3);
    expect(got.slice(0, rgb.length)).toEqual(rgb);
  });
});
