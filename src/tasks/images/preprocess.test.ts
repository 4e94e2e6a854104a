/** @file Pictures as models get them, against 🤗 transformers' own image processors, and against Pillow and numpy for each option. */
import { describe, expect, it } from 'vitest';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { describePreprocess, optionProblems } from './describe.ts';
import { fitted, readFrom } from './fit.ts';
import { pictureDefaults, type PictureOptions } from './options.ts';
import type { PictureInput } from './pictureInput.ts';
import { type Preprocess, preprocessing, type PreprocessWish, readPreprocessor } from './preprocess.ts';
import { opaque } from './store.ts';
import { type PixelLayout, readPicture, writePixels } from './tensor.ts';
import golden from './testing/preprocessed.json' with { type: 'json' };

const [WIDTH, HEIGHT] = [61, 43];
/** The pattern of testing/make_resampled.py: rings that grow finer, out of step in the three channels. */
const rgba = new Uint8ClampedArray(4 * WIDTH * HEIGHT).fill(255);
for (let y = 0; y < HEIGHT; y++)
  for (let x = 0; x < WIDTH; x++)
    [3, 5, 11].forEach((k, c) => {
      rgba[4 * (y * WIDTH + x) + c] = (Math.floor(((x * x + y * y) * k) / 8) + x * c) % 256;
    });
const picture = { width: WIDTH, height: HEIGHT, rgba };

async function seen(preprocess: Preprocess, layout: PixelLayout): Promise<number[]> {
  const { width, height } = preprocess.frame;
  const frame = opaque({ width, height, rgba: await fitted(picture, preprocess.frame, readFrom(picture)) });
  const out = new Float32Array(layout.channels * preprocess.width * preprocess.height);
  writePixels(frame, preprocess, layout, out, 0);
  return Array.from(out);
}

function near(got: readonly number[], want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  // Golden numbers have five decimals; float32 of numbers up to 255 has as many.
  const worst = want.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i]!)), 0);
  expect(worst).toBeLessThan(3e-5);
}

const free: PreprocessWish = { width: null, height: null, channels: 3, normalise: 'auto' };

async function configOf(name: string, content: object) {
  const files = memoryFiles({ 'm/model.onnx': '', [`m/${name}`]: JSON.stringify(content) });
  return readPreprocessor(files, 'm/model.onnx');
}

describe('a model’s own file', () => {
  it.each(golden.files)('of $name is followed to the number', async ({ config, shape, values }) => {
    for (const [file, content] of [
      ['preprocessor_config.json', config],
      ['processor_config.json', { image_processor: config }],
    ] as const) {
      const made = preprocessing(await configOf(file, content), free);
      expect([3, made.height, made.width]).toEqual(shape);
      near(await seen(made, { channels: 3, order: 'NCHW' }), values);
    }
  });

  it('of timm is followed as its evaluation does', async () => {
    const timm = {
      input_size: [3, 8, 8],
      interpolation: 'bilinear',
      crop_pct: 0.7,
      mean: [0.485, 0.456, 0.406],
    };
    const config = { pretrained_cfg: { ...timm, std: [0.229, 0.224, 0.225] } };
    // 8/0.7 → 11, then the centre: what the golden file says in other words.
    const same = golden.files.find(({ name }) => name === 'ResNet’s margin' || name === "ResNet's margin")!;
    near(
      await seen(preprocessing(await configOf('config.json', config), free), { channels: 3, order: 'NCHW' }),
      same.values,
    );
    expect(await configOf('config.json', { model_type: 'vit' })).toBeNull();
  });

  it('gives way to the model’s fixed size, in its shape', async () => {
    const config = await configOf('preprocessor_config.json', {
      size: { shortest_edge: 256 },
      crop_size: 224,
    });
    const made = preprocessing(config, { ...free, width: 192, height: 48 });
    expect([made.width, made.height]).toEqual([192, 48]);
    expect(made.frame.width / made.frame.height).toBeCloseTo(4, 1);
  });
});

describe('options', () => {
  it.each(golden.options)('$name: to the number', async ({ options, channels, order, values }) => {
    const { normalise = 'auto', ...asked } = options as Partial<PictureOptions> & { normalise?: 'auto' };
    const made = preprocessing(null, { ...free, channels, normalise, asked });
    const layout = { channels, order: order as 'NCHW' | 'NHWC' };
    const got = await seen(made, layout);
    near(got, values);
    // And back: a picture's bytes survive the way.
    if (channels === 3) {
      const { width, height } = made;
      const shown = await fitted(picture, made.frame, readFrom(picture));
      expect(readPicture(got, 0, made, layout)).toEqual({ width, height, rgba: shown });
    }
  });

  const input: PictureInput = {
    name: 'x',
    type: 'float32',
    channels: 3,
    order: 'NCHW',
    batch: null,
    width: null,
    height: null,
  };
  const told = (
    options: Partial<PictureOptions>,
    changed: Partial<PictureInput> = {},
    normalise: 'auto' | 'half' = 'auto',
  ) => {
    const asked = { ...pictureDefaults, ...options, normalise };
    const own = { ...input, ...changed };
    return optionProblems('m.onnx', asked, own, preprocessing(null, { ...own, normalise, asked })).map(
      (p) => p.message,
    );
  };

  it('that do nothing or contradict each other are said', () => {
    expect(told({ width: 192, height: 48, mean: [103.9, 116.8, 123.7], colours: 'bgr' })).toEqual([]);
    expect(told({ side: 64 }, { width: 224, height: 224 })[0]).toMatch(
      /takes pictures of 224 × 224 pixels only/,
    );
    expect(told({ mean: [103.9], range: '0-1' })[0]).toMatch(/is for colours from 0 to 255/);
    expect(told({ mean: [0.1, 0.2] })[0]).toMatch(/mean has 2 numbers, but m.onnx takes 3 channels/);
    expect(told({ mean: [0.1, 0.2, 0.3] }, { channels: 1 })[0]).toMatch(/takes 1 channel\./);
    expect(told({}, { type: 'uint8' }, 'half')[0]).toMatch(/takes bytes/);
    expect(told({ colours: 'grey' })[0]).toMatch(/stay coloured/);
  });

  it('are said in words', () => {
    const made = preprocessing(null, {
      ...free,
      asked: {
        width: 192,
        height: 48,
        colours: 'bgr',
        range: '0-255',
        mean: [103.939, 116.779, 123.68],
        fit: 'stretch',
      },
    });
    expect(describePreprocess(made, input)).toBe(
      '192 × 48 pixels, stretched; blue first; 0 to 255, less 104, 117, 124, over 1',
    );
  });
});
