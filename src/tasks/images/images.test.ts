import { describe, expect, it } from 'vitest';
import { DataError } from '#src/tasks/files.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { changeColours, drawChange, unchanged } from './augment.ts';
import { collectImages } from './collect.ts';
import { imagePaths } from './list.ts';
import { EpochOrder, stratifiedSplit } from '#src/tasks/order.ts';
import { preprocessing, readPreprocessor } from './preprocess.ts';
import { shownSize } from './orientation.ts';
import { checkedHeader, probeImage } from './probe.ts';
import { ImageStore, pictureOf } from './store.ts';
import { readPicture, writePixels } from './tensor.ts';
import { plainPng, png, pngDecoder, testHost } from './testing/host.ts';
// A picture of 7 × 5 pixels that Pillow 13 wrote in every format, base64.
import written from './testing/pillow.json' with { type: 'json' };
import quarters from './testing/quarters.json' with { type: 'json' };

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

describe('headers', () => {
  it.each(Object.entries(written))('tell the size of a %s', (name, base64) => {
    expect(probeImage(bytes(base64))).toEqual({ format: name.split(' ')[0], width: 7, height: 5 });
  });

  it.each([
    ['<svg width="12" height="8px"/>', 12, 8],
    ['\uFEFF<?xml version="1.0"?>\n<!-- x --><svg xmlns="a" viewBox="0 0 30 20">', 30, 20],
    ['<svg xmlns="a">', null, null],
    ['<svg width="60" viewBox="0 0 30 20">', 60, 40],
    ['<svg width="100%" height="2in" viewBox="0 0 30 20">', 288, 192],
  ])('tell the size of %s', (svg, width, height) => {
    expect(probeImage(text(svg))).toEqual({ format: 'svg', width, height });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /it is empty, 0 bytes/],
    ['a text', text('hello'), /no image that is known; PNG, JPEG/],
    ['a JPEG cut short', bytes(written.jpeg).slice(0, 30), /its header has no size/],
    [
      'a large SVG',
      text('<svg width="60000" height="60000">'),
      /60000 × 60000 pixels; sides up to 16384 and 64 megapixels/,
    ],
    ['a large area', text('<svg width="16000" height="16000">'), /16000 × 16000/],
  ])('refuse %s', (_, content, message) => {
    expect(() => checkedHeader(content)).toThrow(message);
  });

  /** A file of each format whose header says 60,000 × 60,000. */
  const bombs: Record<string, Uint8Array> = (() => {
    const changed = (base64: string, change: (view: DataView, at: (mark: string) => number) => void) => {
      const copy = bytes(base64);
      const latin = String.fromCharCode(...copy);
      change(new DataView(copy.buffer), (mark) => latin.indexOf(mark));
      return copy;
    };
    const N = 60_000;
    // 16,384 is all that a lossy or lossless WebP can say; the frame around one can say more.
    const vp8x = new Uint8Array(30);
    vp8x.set(text('RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0'));
    vp8x.set([(N - 1) & 255, (N - 1) >> 8, 0, (N - 1) & 255, (N - 1) >> 8, 0], 24);
    return {
      png: changed(written.png, (v) => [16, 20].forEach((at) => v.setUint32(at, N))),
      jpeg: changed(written.jpeg, (v, at) => [5, 7].forEach((k) => v.setUint16(at('\u00ff\u00c0') + k, N))),
      gif: changed(written.gif, (v) => [6, 8].forEach((at) => v.setUint16(at, N, true))),
      'gif by its frame': changed(written.gif, (v, at) =>
        [5, 7].forEach((k) => v.setUint16(at('\u002c\0\0\0\0\u0007\0\u0005') + k, N, true)),
      ),
      webp: vp8x,
      avif: changed(written.avif, (v, at) => [8, 12].forEach((k) => v.setUint32(at('ispe') + k, N))),
      bmp: changed(written.bmp, (v) => [18, 22].forEach((at) => v.setInt32(at, N, true))),
      svg: text('<svg xmlns="http://www.w3.org/2000/svg" width="60000" height="60000"/>'),
    };
  })();

  it.each(Object.entries(bombs))('refuse a bomb of 60,000 × 60,000 pixels: %s', async (name, content) => {
    expect(() => checkedHeader(content)).toThrow(/60000 × 60000 pixels; sides up to 16384/);
    const decode = pngDecoder();
    const store = new ImageStore(memoryFiles({ [name]: content }), testHost(decode), { width: 8, height: 8 });
    const { problems } = await collectImages(store, [name]);
    expect(problems[0]!.message).toContain(`${name} cannot be read as an image`);
    expect(decode.calls).toBe(0);
  });

  it('meet any bytes with a header or an Error in words', async () => {
    for (let seed = 0; seed < 2000; seed++) {
      const d = dice(seed);
      const content = damaged(d, bytes(d.pick([...Object.values(written), ...Object.values(quarters)])));
      try {
        await shownSize(content, checkedHeader(content));
      } catch (error) {
        expect((error as Error).message).toMatch(/^(it|its) /);
      }
    }
  });

  it('stop a bomb before the decoder sees it', async () => {
    const decode = pngDecoder();
    const bomb = plainPng(1);
    new DataView(bomb.buffer, bomb.byteOffset).setUint32(16, 60_000);
    const store = new ImageStore(memoryFiles({ 'b.png': bomb }), testHost(decode), { width: 8, height: 8 });
    const { problems } = await collectImages(store, ['b.png']);
    expect(problems[0]!.message).toMatch(/b\.png cannot be read as an image: its header says 60000 × 8/);
    expect(decode.calls).toBe(0);
  });
});

describe('memory', () => {
  const files = memoryFiles(
    Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.png`, plainPng(i + 1, 16)])),
  );

  it('stays under the limit; what is not held is read again, the same', async () => {
    const each = 16 * 16 * 3;
    const decode = pngDecoder();
    const small = new ImageStore(files, testHost(decode), { width: 16, height: 16 }, 10 * each);
    const { images, problems } = await collectImages(small, files.paths);
    expect([images.size, problems.length, small.bytes]).toEqual([40, 0, 10 * each]);
    const whole = new ImageStore(files, testHost(), { width: 16, height: 16 });
    decode.calls = 0;
    for (const path of files.paths) expect(await small.get(path)).toEqual(await whole.get(path));
    expect([decode.calls, small.bytes]).toEqual([30, 10 * each]);
  });

  it('can be cancelled at any image', async () => {
    const store = new ImageStore(files, testHost(), { width: 16, height: 16 });
    const seen: number[] = [];
    const cancel = collectImages(store, files.paths, (done, total) => {
      seen.push(done);
      if (done === 5) throw new Error(`stopped of ${total}`);
    });
    await expect(cancel).rejects.toThrow('stopped of 40');
    // Where something takes long, the count so far is told once more.
    expect([...new Set([0, ...seen])]).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('preprocessing', () => {
  const wish = { width: null, height: null, channels: 3, normalise: 'auto' } as const;
  it.each([
    ['nothing', null, wish, [224, 224], [224, 224], 0.485, 0.229],
    ['a model’s fixed size', null, { ...wish, width: 40, height: 30 }, [40, 30], [40, 30], 0.485, 0.229],
    [
      'ResNet’s file',
      {
        size: { shortest_edge: 256 },
        crop_size: 224,
        image_mean: [0.5, 0.4, 0.3],
        image_std: [0.1, 0.2, 0.3],
      },
      wish,
      [224, 224],
      [256, 256],
      0.5,
      0.1,
    ],
    [
      'ViT’s file',
      { size: { height: 32, width: 48 }, image_mean: 0.5, image_std: 0.25 },
      wish,
      [48, 32],
      [48, 32],
      0.5,
      0.25,
    ],
    [
      'ConvNeXt’s file',
      { size: { shortest_edge: 224 }, crop_pct: 0.875 },
      wish,
      [224, 224],
      [256, 256],
      0.485,
      0.229,
    ],
    ['no normalising', { size: 16, do_normalize: false }, wish, [16, 16], [16, 16], 0, 1],
    [
      'a user’s side',
      null,
      { ...wish, asked: { side: 64 }, normalise: 'half' as const },
      [64, 64],
      [64, 64],
      0.5,
      0.5,
    ],
  ])('follows %s', (_, config, asked, size, frame, mean, std) => {
    const p = preprocessing(config, asked);
    expect([[p.width, p.height], [p.frame.width, p.frame.height], p.mean[0], p.std[0], p.scale]).toEqual([
      size,
      frame,
      mean,
      std,
      1,
    ]);
  });

  it('names what is wrong with the file', async () => {
    const read = (content: string) =>
      readPreprocessor(
        memoryFiles({ 'm/model.onnx': '', 'm/preprocessor_config.json': content }),
        'm/model.onnx',
      );
    await expect(read('{')).rejects.toThrow(DataError);
    await expect(read('{"image_mean":"a"}')).rejects.toThrow(/m\/preprocessor_config\.json: image_mean/);
    expect(await read('{"size":8,"other":[]}')).toMatchObject({ size: 8 });
  });
});

describe('tensors', () => {
  const rgb = Uint8Array.from({ length: 3 * 4 * 2 }, (_, i) => i * 10);
  const frame = { width: 4, height: 2, rgb };
  const plain = {
    frame: { width: 4, height: 2 },
    width: 4,
    height: 2,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    scale: 1,
  };

  it('keep every value at the frame’s size, in either order, and come back as a picture', () => {
    for (const order of ['NCHW', 'NHWC'] as const) {
      const out = new Float32Array(24);
      writePixels(frame, plain, { channels: 3, order }, out, 0);
      const [x, y, c] = [2, 1, 1];
      expect(out[order === 'NCHW' ? c * 8 + y * 4 + x : (y * 4 + x) * 3 + c]).toBeCloseTo(
        rgb[3 * (y * 4 + x) + c]! / 255,
        7,
      );
      expect(readPicture(out, 0, plain, { channels: 3, order }).rgba).toEqual(pictureOf(frame).rgba);
    }
  });

  it('mirror, crop between pixels, normalise, and turn grey as PIL does', () => {
    const out = new Float32Array(8);
    const p = { ...plain, mean: [0.5], std: [0.25] };
    writePixels(frame, p, { channels: 1, order: 'NCHW' }, out, 0, { ...unchanged, flip: true });
    const luma = (0.299 * 90 + 0.587 * 100 + 0.114 * 110) / 255;
    expect(out[0]).toBeCloseTo((luma - 0.5) / 0.25, 5);
    const half = new Float32Array(3);
    const centre = { ...unchanged, box: { x: 1, y: 0, width: 2, height: 2 } };
    writePixels(frame, { ...plain, width: 1, height: 1 }, { channels: 3, order: 'NCHW' }, half, 0, centre);
    // The mean of the four middle pixels.
    expect(half[0]).toBeCloseTo((30 + 60 + 150 + 180) / 4 / 255, 6);
  });

  it('change colours not at all with factors of one', () => {
    const floats = Float32Array.from(rgb, (v) => v / 255);
    const changed = floats.slice();
    changeColours(changed, [1, 1, 1]);
    changed.forEach((v, i) => expect(v).toBeCloseTo(floats[i]!, 6));
    changeColours(changed, [1, 1, 0]);
    expect(changed[0]).toBeCloseTo(changed[2]!, 6);
  });

  it('draws changes from seed and place alone, inside the frame', () => {
    const options = { seed: 3, flip: true, crop: 0.2, colour: 0.4 };
    for (let place = 0; place < 300; place++) {
      const { box, colour } = drawChange(options, plain.frame, place);
      expect(drawChange(options, plain.frame, place)).toEqual({
        flip: expect.any(Boolean) as boolean,
        box,
        colour,
      });
      expect(
        box!.x >= 0 && box!.y >= 0 && box!.x + box!.width <= 4 + 1e-9 && box!.y + box!.height <= 2 + 1e-9,
      ).toBe(true);
      expect(box!.width * box!.height).toBeGreaterThan(0.15 * 8);
      expect(colour!.every((f) => f >= 0.6 && f <= 1.4)).toBe(true);
    }
    expect(drawChange({ seed: 3, flip: false, crop: 1, colour: 0 }, plain.frame, 0)).toEqual(unchanged);
  });
});

it('visits every example once an epoch, and holds out a share of each group', () => {
  const order = new EpochOrder(1, 7);
  const epoch = (k: number): number[] => Array.from({ length: 7 }, (_, i) => order.at(7 * k + i));
  expect([...epoch(0)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(epoch(1)).not.toEqual(epoch(0));
  const { train, heldout } = stratifiedSplit([10, 3, 1], 0.2, 0);
  expect(heldout.map((h) => h.length)).toEqual([2, 1, 0]);
  expect(train.map((t, g) => [...t, ...heldout[g]!].sort((a, b) => a - b).length)).toEqual([10, 3, 1]);
});

it('lists images of all formats, hidden ones left out', () => {
  const names = [
    'a.png',
    'b.JPG',
    'c.webp',
    'd.avif',
    'e.svg',
    'f.gif',
    'x.txt',
    '.g.png',
    '.h/i.png',
    '__MACOSX/j.png',
  ];
  const files = memoryFiles(Object.fromEntries(names.map((name) => [name, ''])));
  expect(imagePaths(files)).toEqual(['a.png', 'b.JPG', 'c.webp', 'd.avif', 'e.svg', 'f.gif']);
  expect(png(1, 1, () => [1, 2, 3]).length).toBeGreaterThan(60);
});
