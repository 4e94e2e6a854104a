/** @file Every kind of image, decoded in a worker of the real browser. */
import { proxy, type Remote, wrap } from 'comlink';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawSvg } from '#src/app/worker/svg.ts';
import { shownSize } from '#src/tasks/images/orientation.ts';
import { checkedHeader } from '#src/tasks/images/probe.ts';
import { Resampler } from '#src/tasks/images/resample.ts';
import type { RawImage } from '#src/tasks/types.ts';
import { centreCrop } from '#src/tasks/images/fit.ts';
import type { Decoder } from '../testing/decode.worker.ts';
// 24 × 16 pixels, of which Pillow 13 wrote four quarters in colours, base64; "turned": with the note of a camera held upright; "moving": with a second,
// black frame.
// Tiny files of many kinds, with the pixels that Pillow 13 makes of them (testing/make_pictures.py).
import pictures from '#src/tasks/images/testing/pictures.json' with { type: 'json' };
import quarters from '#src/tasks/images/testing/quarters.json' with { type: 'json' };

const worker = new Worker(new URL('../testing/decode.worker.ts', import.meta.url), { type: 'module' });
const decoder: Remote<Decoder> = wrap<Decoder>(worker);
afterAll(() => worker.terminate());

const bytes = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const red = [220, 20, 30];
const green = [20, 200, 40];
const blue = [30, 40, 210];
const yellow = [230, 220, 30];

/** The middles of the four quarters: from left to right, the upper ones first. */
const corners = ({ width, height, rgba }: RawImage): number[][] =>
  [0.25, 0.75].flatMap((v) =>
    [0.25, 0.75].map((u) => {
      const at = 4 * (Math.floor(v * height) * width + Math.floor(u * width));
      return [...rgba.slice(at, at + 3)];
    }),
  );

/** Lossy formats keep flat colours within so many of 255. */
function near(got: number[][], want: number[][], off = 8): void {
  got.forEach((colour, i) =>
    colour.forEach((value, c) =>
      expect(Math.abs(value - want[i]![c]!), JSON.stringify(got)).toBeLessThanOrEqual(off),
    ),
  );
}

describe('images in a worker', () => {
  beforeAll(async () => {
    await decoder.lendSvg(proxy(drawSvg));
  });

  it.each(Object.entries(quarters))('decodes %s', async (name, base64) => {
    const turned = name.endsWith('turned');
    const image = await decoder.decode(bytes(base64), name);
    expect([image.width, image.height]).toEqual(turned ? [16, 24] : [24, 16]);
    near(corners(image), turned ? [blue, red, yellow, green] : [red, green, blue, yellow]);
    // What is known of it before it is decoded.
    expect(await shownSize(bytes(base64), checkedHeader(bytes(base64)))).toEqual({
      width: image.width,
      height: image.height,
    });
  });

  // Each browser heeds other notes of a file; what comes out must be what Pillow makes of it.
  it.each(pictures.filter(({ name }) => !name.startsWith('refused')))(
    'reads $name as Pillow does',
    async (one) => {
      const image = await decoder.decode(bytes(one.file), one.name);
      expect([image.width, image.height]).toEqual([one.width, one.height]);
      const want = bytes(one.rgb!);
      const off = want.reduce(
        (most, v, i) => Math.max(most, Math.abs(v - image.rgba[4 * Math.floor(i / 3) + (i % 3)]!)),
        0,
      );
      expect(off).toBeLessThanOrEqual(one.off!);
    },
  );

  it.each(pictures.filter(({ name }) => name.startsWith('refused')))(
    'leaves out what is $name',
    async ({ file, name }) => {
      await expect(decoder.decode(bytes(file), name.endsWith('tga') ? 'a.tga' : 'a.png')).rejects.toThrow(
        /is not decoded/,
      );
    },
  );

  it('crops to the centre and scales', async () => {
    const image = await decoder.decode(bytes(quarters.png), 'a.png', { width: 8, height: 8 });
    expect([image.width, image.height]).toEqual([8, 8]);
    // The kernel goes a little beyond where colours meet.
    near(corners(image), [red, green, blue, yellow], 8);
  });

  it('scales as Pillow does, in strips where the picture is large', async () => {
    // Fine rings, which turn into others where a scaling leaves pixels out. The reference is held to Pillow's own bytes.
    const [width, height, size] = [2048, 1400, { width: 300, height: 200 }];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d')!;
    const data = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      data.data.set([(x * x + y * y) >> 6, x * y, 3 * x + y, 255], 4 * i);
    }
    context.putImageData(data, 0, 0);
    const png = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    const reference = new Resampler({ width, height }, centreCrop({ width, height }, 300, 200), size);
    const [first, end] = reference.rows;
    const [left, right] = reference.columns;
    reference.add(context.getImageData(left, first, right - left, end - first).data, first);
    const wanted = reference.finish();
    const { rgba } = await decoder.decode(png, 'a.png', size);
    expect(rgba.every((value, i) => value === wanted[i])).toBe(true);
  });

  const rects = (w: number, h: number) =>
    `<rect width="${w}" height="${h}" fill="rgb(220,20,30)"/><rect x="${w}" width="${w}" height="${h}" fill="rgb(20,200,40)"/><rect y="${h}" width="${w}" height="${h}" fill="rgb(30,40,210)"/><rect x="${w}" y="${h}" width="${w}" height="${h}" fill="rgb(230,220,30)"/>`;
  it.each([
    ['with a size', `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="16">${rects(12, 8)}</svg>`],
    ['with a view box', `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 16">${rects(12, 8)}</svg>`],
    [
      'in other units, larger than it is drawn',
      `<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg" width="120mm" height="8cm" viewBox="0 0 24 16">${rects(12, 8)}</svg>`,
    ],
    ['without a size', `<svg xmlns="http://www.w3.org/2000/svg">${rects(150, 75)}</svg>`],
  ])('draws an SVG %s', async (_, svg) => {
    const image = await decoder.decode(text(svg), 'a.svg', { width: 32, height: 32 });
    expect([image.width, image.height]).toEqual([32, 32]);
    near(corners(image), [red, green, blue, yellow], 1);
  });

  it('draws an SVG at its own size, sharp, over white', async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"><rect width="2" height="2"/></svg>`;
    const image = await decoder.decode(text(svg), 'a.svg');
    expect([image.width, image.height, ...image.rgba.filter((_, i) => i % 4 === 0)]).toEqual([
      4, 2, 0, 0, 255, 255, 0, 0, 255, 255,
    ]);
    const large = await decoder.decode(text(svg), 'a.svg', { width: 64, height: 64 });
    expect([large.rgba[4 * 31], large.rgba[4 * 32]]).toEqual([0, 255]);
  });

  it('runs no script of an SVG, and fetches nothing', async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8" onload="document.title='bad'"><script>document.title='bad'</script><image href="${location.origin}/favicon.ico" width="8" height="8"/></svg>`;
    const before = performance.getEntriesByType('resource').length;
    await decoder.decode(text(svg), 'a.svg');
    expect(document.title).not.toBe('bad');
    expect(performance.getEntriesByType('resource').length).toBe(before);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a PNG cut short', bytes(quarters.png).slice(0, 40), /the browser cannot decode it|no size/],
    ['a text', text('hello'), /no image that is known/],
    [
      'an SVG that is no XML',
      text('<svg xmlns="http://www.w3.org/2000/svg"><rect></svg>'),
      /no well-formed SVG/,
    ],
    ['an SVG of another namespace', text('<html><svg width="4" height="4"/></html>'), /no well-formed SVG/],
    [
      'an SVG of laughs',
      text(
        `<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">${Array.from('bcdefghij', (c, i) => `<!ENTITY ${c} "${`&${'abcdefghi'[i]!};`.repeat(10)}">`).join('')}]><svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><text>&j;</text></svg>`,
      ),
      /no well-formed SVG/,
    ],
  ])('refuses %s with a reason', async (_, content, message) => {
    await expect(decoder.decode(content, 'x')).rejects.toThrow(message);
  });
});
