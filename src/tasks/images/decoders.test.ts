/** @file What of decoding needs no browser: turns, TIFF and deep PNGs against Pillow's pixels, files made bare, and headers of any bytes. */
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { bare } from './bare.ts';
import { decodeDeepPng } from './deep.ts';
import { NotDecoded } from './foreign.ts';
import { type Orientation, orientationOf, shownSize, turning } from './orientation.ts';
import { checkedHeader, probeImage } from './probe.ts';
import { decodeTiff } from './tiff.ts';
import pictures from './testing/pictures.json' with { type: 'json' };

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
type Case = (typeof pictures)[number];
const named = (pattern: RegExp): [string, Case][] =>
  pictures.filter(({ name }) => pattern.test(name)).map((p) => [p.name, p]);

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgba: ArrayLike<number>;
}

/** RGB of a picture that is turned. */
function turned({ width, height, rgba }: Pixels, orientation: Orientation): number[] {
  const [a, b, c, d, e, f] = turning(orientation, width, height);
  const across = orientation >= 5 ? height : width;
  const rgb: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      // A pixel is the square between x and x + 1.
      const X = Math.floor(a * (x + 0.5) + c * (y + 0.5) + e);
      const Y = Math.floor(b * (x + 0.5) + d * (y + 0.5) + f);
      for (let k = 0; k < 3; k++) rgb[3 * (Y * across + X) + k] = rgba[4 * (y * width + x) + k]!;
    }
  return rgb;
}

/** The largest difference from the pixels that Pillow made. */
function off({ rgb }: Case, got: readonly number[]): number {
  const want = bytesOf(rgb!);
  expect(got.length).toBe(want.length);
  return want.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i]!)), 0);
}

describe('decoders', () => {
  it.each(named(/^tiff/))('read %s', async (_, one) => {
    const bytes = bytesOf(one.file);
    expect(await shownSize(bytes, checkedHeader(bytes))).toEqual({ width: one.width, height: one.height });
    expect(off(one, turned(decodeTiff(bytes), await orientationOf(bytes, 'tiff')))).toBeLessThanOrEqual(
      one.off!,
    );
  });

  it.each(named(/^png .* 16/))('read %s', async (_, one) => {
    const bytes = bytesOf(one.file);
    expect(off(one, turned(decodeDeepPng(bytes), await orientationOf(bytes, 'png')))).toBeLessThanOrEqual(
      one.off!,
    );
  });

  it.each(named(/^png (?!.* 16)/))('turn %s as Pillow does', async (_, one) => {
    const bytes = bytesOf(one.file);
    const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
    expect(off(one, turned({ width, height, rgba: data }, await orientationOf(bytes, 'png')))).toBe(0);
  });

  it.each(named(/^refused/))('name what is %s', (name, { file }) => {
    const bytes = bytesOf(file);
    // Targa has no mark: its ending says what it is.
    const path = name.endsWith('tga') ? 'a.tga' : 'a.png';
    expect(() => (checkedHeader(bytes, path), decodeTiff(bytes))).toThrow(NotDecoded);
  });

  it.each(named(/^(?!refused)/))('know the shown size of %s', async (_, { file, width, height }) => {
    const bytes = bytesOf(file);
    expect(await shownSize(bytes, checkedHeader(bytes))).toEqual({ width, height });
  });

  it('meet damaged TIFFs and deep PNGs with pixels or an Error in words', () => {
    const some = named(/^(tiff|png .* 16)/).map(([, { file }]) => bytesOf(file));
    for (let seed = 0; seed < depth(150, 600); seed++) {
      const d = dice(seed);
      const bytes = damaged(d, d.pick(some));
      try {
        const { format, width, height } = checkedHeader(bytes);
        // What a real file may hold is bounded by its header; here, by the test's time.
        if (width! * height! > 1e5) continue;
        if (format === 'tiff') decodeTiff(bytes);
        else if (format === 'png') decodeDeepPng(bytes);
      } catch (error) {
        expect((error as Error).message).toMatch(/^(it|its) |is not decoded here$/);
      }
    }
  });
});

describe('bare files', () => {
  it.each(named(/^(png|webp|jpeg) /))('hold no note of %s', async (name, { file }) => {
    const bytes = bytesOf(file);
    const { format } = probeImage(bytes)!;
    const made = bare(bytes, format);
    expect(probeImage(made)).toEqual(probeImage(bytes));
    if (format !== 'png') expect(await orientationOf(made, format)).toBe(1);
    expect(String.fromCharCode(...made)).not.toMatch(/Exif|gAMA|iCCP|eXIf|ICC_PROFILE|ICCP/);
    if (format === 'webp') expect(new DataView(made.buffer).getUint32(4, true)).toBe(made.length - 8);
    expect(bare(made, format)).toBe(made);
    expect(name).not.toBe('');
  });

  it('are made of any bytes', async () => {
    const some = named(/^(png|webp|jpeg) /).map(([, { file }]) => bytesOf(file));
    for (let seed = 0; seed < depth(300, 1500); seed++) {
      const d = dice(seed);
      const bytes = damaged(d, d.pick(some));
      for (const format of ['png', 'webp', 'jpeg'] as const) {
        expect(bare(bytes, format).length).toBeLessThanOrEqual(bytes.length);
        expect(await orientationOf(bytes, format)).toBeGreaterThanOrEqual(1);
      }
    }
  });
});
