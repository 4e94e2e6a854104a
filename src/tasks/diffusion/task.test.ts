import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { readParameters } from '#src/oft/rotation/parameters.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { testJob } from '../testing/job.ts';
import { openWhole, trainTask } from '../testing/trainTask.ts';
import type { TaskHost } from '../types.ts';
import { readExamples } from './examples.ts';
import { encodePictures } from './latents.ts';
import { loadPipeline } from './load.ts';
import type { DiffusionOptions } from './options.ts';
import { task } from './task.ts';
import { decodePngImage } from './testing/decodePng.ts';
import { diskFiles, memoryFiles } from './testing/diskFiles.ts';

/** Stripes of two colours. */
function png(width: number, height: number, hue: number): Uint8Array {
  const image = new PNG({ width, height });
  for (let i = 0; i < width * height; i++)
    image.data.set(
      (i + Math.floor(i / width)) % 3 === 0 ? [250, hue, 20, 255] : [10, 255 - hue, 200, 255],
      4 * i,
    );
  return new Uint8Array(PNG.sync.write(image));
}
const square = memoryFiles({
  'a red robot.png': png(16, 16, 10),
  'a blue cat.png': png(16, 16, 90),
  'a green cat.png': png(16, 16, 160),
});
const mixed = memoryFiles({
  'a red robot.png': png(16, 16, 10),
  'wide.png': png(20, 12, 90),
  'tall.png': png(12, 20, 160),
  'tall too.png': png(12, 20, 200),
});
const model = diskFiles('e2e/golden/tiny-sd');
const job = (options: Partial<DiffusionOptions>, train: object = {}) =>
  testJob('diffusion', options, {
    data: { flip: options.latents === 'sample', captionDropout: 0.1 },
    train: { steps: 6, batch: 2, seed: 1, ...train },
    sample: { prompts: ['a cat'], negative: '', steps: 2, guidance: 3, seed: 4, every: 0 },
  });
const run = (files: typeof square, options: Partial<DiffusionOptions>, learningRate = 0.02, train = {}) =>
  trainTask({
    task,
    model,
    train: files,
    heldout: files,
    job: job(options, train),
    plan: { ...defaultSettings, rules: [] },
    learningRate,
    decodeImage: decodePngImage,
  });

describe('a Stable Diffusion folder', () => {
  it('trains on latents, and draws pixels', async () => {
    const result = await run(square, {}, 0.02, { steps: 30, minSnr: 5 });
    expect(result.model.parts.map(({ part }) => part)).toEqual(['unet']);
    expect(result.after.loss!).toBeLessThan(0.97 * result.before.loss!);
    const [before, after] = [result.samplesBefore, result.samplesAfter].map(({ pictures }) => pictures[0]!);
    expect(before).toMatchObject({ width: 16, height: 16 });
    expect(after!.rgba).not.toEqual(before!.rgba);
    expect(result.prepared.preview.facts).toContainEqual({
      label: 'As the model sees them',
      value: '16 × 16 pixels',
    });
  });

  it.each(depth(['dpm++_2m'] as const, ['euler', 'dpm++_2m'] as const))(
    'draws by %s, latents drawn anew',
    async (sampler) => {
      const result = await run(square, { sampler, latents: 'sample', offsetNoise: 0.1 });
      expect(result.losses.every(Number.isFinite)).toBe(true);
      expect(result.samplesAfter.pictures).toHaveLength(1);
    },
  );

  // In npm test by way of the worker: workers/trainer/stableDiffusion.test.ts.
  it.runIf(depth(false, true))('trains the text encoder with it', async () => {
    const result = await run(square, { trainTextEncoder: true }, 0.02, { steps: 20 });
    expect(result.model.parts.map(({ part }) => part)).toEqual(['unet', 'text_encoder']);
    expect(result.after.loss!).toBeLessThan(result.before.loss!);
    // The text encoder's blocks have turned, from the loss alone.
    const turned = readParameters(result.layout, result.theta).filter(
      ({ layer, blocks }) => layer.layer.part === 'text_encoder' && blocks.some((x) => x !== 0),
    );
    expect(turned).toHaveLength(12);
    // Untouched, the joint graph says what the frozen encoder and the UNet say.
    const apart = await run(square, {}, 0.02, { steps: 1 });
    expect(Math.abs(result.before.loss! / apart.before.loss! - 1)).toBeLessThan(1e-5);
  });

  it('trains each shape at its own size, over one state', async () => {
    const result = await run(mixed, { buckets: true }, 0.02, { steps: 12 });
    expect(result.losses.every(Number.isFinite)).toBe(true);
    expect(result.after.loss!).toBeLessThan(result.before.loss!);
    const variants = Array.from({ length: 12 }, (_, k) => result.prepared.variant!(k));
    expect(new Set(variants)).toEqual(new Set([0, 1, 2]));
    const shapes = [0, 1, 2].map((v) => result.prepared.training(v).graph.inputs[0]!.shape.slice(2));
    expect(shapes).toEqual([
      [8, 8],
      [6, 10],
      [10, 6],
    ]);
    for (const [k, variant] of variants.entries())
      expect((await result.prepared.feeds(k, 0))['target']!.length).toBe(
        2 * 4 * shapes[variant]![0]! * shapes[variant]![1]!,
      );
    const value = '1 of 16 × 16, 1 of 20 × 12, 2 of 12 × 20';
    expect(result.prepared.preview.facts).toContainEqual({ label: 'As the model sees them', value });
  });
});

describe("sd-scripts' folders", () => {
  it('show their pictures as often as their names say', async () => {
    const files = memoryFiles({
      '3_robot/a.png': png(16, 16, 10),
      '1_cat/b.png': png(16, 16, 90),
    });
    const host: TaskHost = {
      backend: 'wasm',
      frozen: (_, __, graph) => () =>
        Promise.resolve(
          Object.fromEntries(
            graph().outputs.map((o) => [
              o.name,
              new Float32Array(o.shape.reduce((a, b) => a * b, 1)).fill(0.5),
            ]),
          ),
        ),
      decodeImage: (bytes, path, size) =>
        decodePngImage(bytes, path, size).then((image) => {
          seen.push(path);
          return image;
        }),
    };
    const seen: string[] = [];
    const opened = await task.open(model, openWhole(model), job({}, { batch: 4 }));
    const prepared = await opened.prepare(files, null, host);
    expect(prepared.problems).toEqual([]);
    expect(prepared.counts.train).toBe(2);
    expect(prepared.preview.facts).toContainEqual({
      label: 'Shown in each round, by the folders’ names',
      value: '4',
    });
    seen.length = 0;
    await prepared.warm(host);
    // Encoded once, however often they are shown.
    expect(seen.sort()).toEqual(['1_cat/b.png', '3_robot/a.png']);
    expect((await prepared.feeds(0, 0))['sample']).toHaveLength(4 * 4 * 8 * 8);
  });
});

describe('latents', () => {
  it('are encoded once, however often a run is made ready', async () => {
    const asked: string[] = [];
    const host: TaskHost = {
      backend: 'wasm',
      frozen: (slot, _, graph) => () => {
        asked.push(slot);
        const { outputs } = graph();
        return Promise.resolve(
          Object.fromEntries(
            outputs.map((o) => [o.name, new Float32Array(o.shape.reduce((a, b) => a * b, 1))]),
          ),
        );
      },
      decodeImage: decodePngImage,
    };
    const opened = await task.open(model, openWhole(model), job({}));
    const count = async (files: typeof square): Promise<number> => {
      asked.length = 0;
      await (await opened.prepare(files, null, host)).warm(host);
      return asked.filter((slot) => slot === 'vae encoder').length;
    };
    expect([await count(square), await count(square)]).toEqual([3, 0]);
    // One of the pictures is known already.
    expect(await count(memoryFiles({ 'x.png': png(16, 16, 10), 'y.png': png(16, 16, 33) }))).toBe(1);
  });

  it('beyond what is held are made again when they are wanted, the same', async () => {
    let asked = 0;
    const host: TaskHost = {
      backend: 'wasm',
      // Another answer for each picture.
      frozen: (_, __, graph) => (feeds) => {
        asked++;
        const [pixels] = Object.values(feeds) as Float32Array[];
        const sum = pixels!.reduce((a, x, i) => a + x * (i % 7), 0);
        const made = graph().outputs.map((o) => {
          const numbers = new Float32Array(o.shape.reduce((a, b) => a * b, 1));
          return [o.name, numbers.map((_n, i) => Math.sin(sum + i))] as const;
        });
        return Promise.resolve(Object.fromEntries(made));
      },
      decodeImage: decodePngImage,
    };
    const sizes = [{ width: 16, height: 16 }];
    const encoded = async (limit: number) => {
      // Each with a model of its own: latents are remembered by it.
      const loaded = await loadPipeline(model, openWhole(model));
      const examples = await readExamples(square, sizes, false, host);
      const wish = { channels: 4, mirrored: true, deviation: true };
      const [material] = await encodePictures(loaded, [examples], wish, host, undefined, limit);
      return material!;
    };
    const all = [0, 1, 2].flatMap((image) => [false, true].map((mirrored) => ({ image, mirrored })));
    const noise = () => new Float32Array(256).fill(0.5);
    const whole = await encoded(Infinity);
    await whole.ready(all);
    // Room for one picture: its mean and deviation.
    const tight = await encoded(2 * 4 * 256);
    expect(tight.clean(0, false, noise)).toEqual(whole.clean(0, false, noise));
    expect(() => tight.clean(2, true, noise)).toThrow('not made ready');
    asked = 0;
    for (const one of all) {
      await tight.ready([one, one]);
      expect(tight.clean(one.image, one.mirrored, noise)).toEqual(
        whole.clean(one.image, one.mirrored, noise),
      );
    }
    expect(asked).toBe(5);
    expect(whole.clean(0, true, noise)).not.toEqual(whole.clean(0, false, noise));
  });
});
