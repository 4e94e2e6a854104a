/** @file Prepared data are made once, come back bit for bit, and go out as an archive; preparing tells how far it is and can be ended. */
import 'fake-indexeddb/auto';
import { readdirSync, readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import { PreparedStore } from '#src/store/prepared.ts';
import type { RawImage, RunGraph, TaskHost } from '#src/tasks/types.ts';
import type { PrepareProgress, Source } from '../../protocol.ts';
import { keeping } from './keeping.ts';
import { keptArchive } from './keptArchive.ts';
import { adapterBytes, Lab, problem, tinyJob, tinyRequest, value } from '../testing/sessions.ts';

const png = (width: number, height: number, hue: number): Uint8Array => {
  const image = new PNG({ width, height });
  for (let i = 0; i < width * height; i++) image.data.set([(i * hue) % 256, hue, 255 - hue, 255], 4 * i);
  return new Uint8Array(PNG.sync.write(image));
};

/** A host that counts what it is asked to make. */
function counting(backend: TaskHost['backend'] = 'wasm') {
  const made: string[] = [];
  const host: TaskHost = {
    backend,
    frozen: (_, key) => {
      const run: RunGraph = (feeds) => {
        made.push(key);
        const x = feeds['x'] as Float32Array;
        return Promise.resolve({ y: x.map((v) => v * 0.1) });
      };
      return run;
    },
    decodeImage(_, path, size) {
      made.push(path);
      const { width, height } = size ?? { width: 2, height: 2 };
      const rgba = new Uint8ClampedArray(4 * width * height).map((__, i) => (i % 4 === 3 ? 255 : i));
      return Promise.resolve<RawImage>({ width, height, rgba });
    },
  };
  return { made, host };
}

const graph = (): never => {
  throw new Error('not compiled in this test');
};
let serial = 0;
const newStore = (): PreparedStore => new PreparedStore(`keeping-${++serial}`);

describe('keeping', () => {
  it('runs a kept graph once for equal feeds, backend and key', async () => {
    const store = newStore();
    const { made, host } = counting();
    const kept = keeping(host, store, () => 'cats');
    const feeds = { x: Float32Array.of(1, 2, 3) };
    const first = await kept.frozen('vae', 'k', graph, 'a.png')(feeds);
    await store.flush();
    expect(await keeping(host, store, () => 'cats').frozen('vae', 'k', graph, 'a.png')(feeds)).toEqual(first);
    expect(made).toEqual(['k']);
    await kept.frozen('vae', 'k', graph, 'a.png')({ x: Float32Array.of(1, 2, 4) });
    await kept.frozen('vae', 'other', graph, 'a.png')(feeds);
    await keeping(counting('webgpu').host, store, () => 'cats').frozen('vae', 'k', graph, 'a.png')(feeds);
    await kept.frozen('vae', 'k', graph)(feeds);
    expect(made).toEqual(['k', 'k', 'other', 'k']);
    expect(await store.list()).toMatchObject([{ name: 'cats', items: 4, bytes: 48 }]);
  });

  it('keeps shrunken pictures only, and nothing of the built-in data', async () => {
    const store = newStore();
    const { made, host } = counting();
    const kept = keeping(host, store, () => 'cats');
    const size = { width: 4, height: 3 };
    const first = await kept.decodeImage(png(40, 30, 7), 'large.png', size);
    expect(await kept.decodeImage(png(40, 30, 7), 'large.png', size)).toEqual(first);
    await kept.decodeImage(png(6, 4, 7), 'small.png', size);
    await kept.decodeImage(png(6, 4, 7), 'small.png', size);
    await kept.decodeImage(png(40, 30, 7), 'large.png');
    await kept.decodeImage(new Uint8Array(9), 'broken.png', size);
    await keeping(host, store, () => null).decodeImage(png(40, 30, 7), 'builtin.png', size);
    expect(made).toEqual(['large.png', 'small.png', 'small.png', 'large.png', 'broken.png', 'builtin.png']);
    expect(await store.list()).toMatchObject([{ items: 1, bytes: 36 }]);
  });

  it('goes out as an archive of PNG and safetensors', async () => {
    const store = newStore();
    const kept = keeping(counting().host, store, () => 'my/cats');
    const picture = await kept.decodeImage(png(40, 30, 7), 'sub/large.png', { width: 4, height: 3 });
    for (const x of [1, 2]) await kept.frozen('vae', 'k', graph, 'sub/large.png')({ x: Float32Array.of(x) });
    const { name, blob } = await keptArchive(store, 'my/cats');
    expect(name).toBe('my_cats-prepared.zip');
    const files = unzipSync(new Uint8Array(await blob.arrayBuffer()));
    expect(Object.keys(files).sort()).toEqual([
      'encoded/sub/large-2.safetensors',
      'encoded/sub/large.safetensors',
      'pictures/sub/large.png',
    ]);
    const read = PNG.sync.read(Buffer.from(files['pictures/sub/large.png']!));
    expect([read.width, read.height, ...read.data]).toEqual([4, 3, ...picture.rgba]);
    const values = ['', '-2'].map(
      (end) => readSafetensors(files[`encoded/sub/large${end}.safetensors`]!).tensors.get('y')!.data[0],
    );
    expect(values.sort()).toEqual([Math.fround(0.1), Math.fround(0.2)]);
    await expect(keptArchive(store, 'dogs')).rejects.toThrow('No prepared data of dogs');
  });
});

describe('a session', () => {
  const root = 'e2e/golden/tiny-sd';
  const model: Source = {
    kind: 'files',
    name: 'tiny-sd',
    files: readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`)
      .map((path) => ({
        path: path.slice(root.length + 1),
        blob: new Blob([new Uint8Array(readFileSync(path))]),
      })),
  };
  const train: Source = {
    kind: 'files',
    name: 'pictures',
    files: [20, 90, 200].map((hue) => ({
      path: `robot ${hue}.png`,
      blob: new Blob([png(16, 16, hue) as Uint8Array<ArrayBuffer>]),
    })),
  };
  const request = tinyRequest(
    {
      model: 'tiny-sd',
      options: { ...tinyJob.options, buckets: true },
      train: { ...tinyJob.train, steps: 2 },
      sample: { ...tinyJob.sample, prompts: ['a cat'], steps: 2, every: 2 },
    },
    { model, train },
  );

  it(
    'finds latents and embeddings again after a reload; the run is the same',
    { timeout: 60_000 },
    async () => {
      const plain = new Lab('kept-plain').newSession();
      value(await plain.start(request, () => undefined));
      const lab = new Lab('kept');
      lab.prepared = newStore();
      const first = lab.newSession();
      value(await first.prepare(request, true));
      const [before] = value(await first.keptData());
      // The latents of three pictures, and a batch of captions.
      expect(before).toMatchObject({ name: 'pictures', items: 4 });
      const second = lab.newSession();
      value(await second.start(request, () => undefined));
      expect(value(await second.keptData())[0]).toMatchObject({ items: before!.items, bytes: before!.bytes });
      expect(await adapterBytes(second)).toEqual(await adapterBytes(plain));
      expect(value(await second.exportKept('pictures')).blob.size).toBeGreaterThan(before!.bytes);
      value(await second.removeKept('pictures'));
      expect(value(await second.keptData())).toEqual([]);
    },
  );

  it('tells how far preparing is, and ends it when asked', { timeout: 60_000 }, async () => {
    const session = new Lab('progress').newSession();
    const told: PrepareProgress[] = [];
    value(await session.prepare(request, true, (p) => told.push(p)));
    const last = new Map(told.map((p) => [p.what, p]));
    expect(last.get('data')).toEqual({ what: 'data', done: 3, total: 3 });
    expect(last.get('encoding')).toMatchObject({ done: 3, total: 3 });
    const other = new Lab('cancelled').newSession();
    const going = other.prepare(request, false, () => void other.cancelPreparation());
    expect(problem(await going)).toEqual({
      code: 'cancelled',
      message: 'The preparation was cancelled.',
      safe: 'What was made ready so far is kept.',
    });
    expect(value(await other.prepare(request, false)).images).toBe(3);
  });
});
