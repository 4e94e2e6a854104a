/** @file Models from a real web server: whole, broken off, changed meanwhile, with weights beside, refused. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pickedFiles } from '../trainer/files/sources.ts';
import { openModel } from '#src/tasks/modelFiles.ts';
import { Downloads } from './downloads.ts';
import type { Fetch } from './fetching.ts';
import { StoredModels } from './stored.ts';
import { type MemoryDepot, memoryDepot } from './testing/memoryDepot.ts';
import { serve, type Served } from './testing/server.ts';
import type { DownloadProgress } from './types.ts';

const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * seed + seed) & 255);
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const zoo = (path: string): Uint8Array => readFileSync(`e2e/golden/zoo/${path}`);

const MODEL = bytesOf(300_000);
let server: Served;
let depot: MemoryDepot;
let downloads: Downloads;
let stored: StoredModels;
const options = (fetcher: Fetch = fetch) => ({
  depot,
  fetch: fetcher,
  room: () => Promise.resolve(null),
  pause: () => Promise.resolve(),
});
const silent = (): undefined => undefined;
const read = async (url: string): Promise<Uint8Array> => {
  const { files } = await stored.open(url);
  return new Uint8Array(await files[0]!.blob.arrayBuffer());
};

beforeEach(async () => {
  server = await serve({ '/m/model.onnx': MODEL });
  depot = memoryDepot();
  downloads = new Downloads(options());
  stored = new StoredModels(depot, options().room);
});
afterEach(() => server.close());

describe('a single file', () => {
  it('is described before it is fetched', async () => {
    const model = await downloads.look(`${server.url}m/model.onnx`);
    expect(model).toMatchObject({ name: 'model.onnx', complete: false });
    expect(model.files).toEqual([{ path: 'model.onnx', bytes: MODEL.byteLength, here: 0, sha256: null }]);
    expect(server.requests.every(({ range }) => range === 'bytes=0-0')).toBe(true);
    expect(depot.contents.size).toBe(0);
    expect(await stored.list()).toEqual([]);
  });

  it('comes whole, with its SHA-256 and progress, and is not fetched again', async () => {
    const url = `${server.url}m/model.onnx`;
    const told: DownloadProgress[] = [];
    const model = await downloads.download(url, ['model.onnx'], (p) => told.push(p));
    expect(model.complete).toBe(true);
    expect(model.files[0]).toMatchObject({ sha256: sha(MODEL), here: MODEL.byteLength });
    expect(told.at(-1)).toEqual({ path: 'model.onnx', done: MODEL.byteLength, total: MODEL.byteLength });
    expect(await read(url)).toEqual(MODEL);
    const asked = server.requests.length;
    expect((await downloads.look(url)).complete).toBe(true);
    expect(server.requests).toHaveLength(asked);
    expect(await stored.list()).toHaveLength(1);
    await stored.remove(url);
    expect(depot.contents.size).toBe(0);
    await expect(stored.open(url)).rejects.toThrow(/Download it first/);
  });

  it.each([
    ['with ranges', true, true],
    ['without ranges', false, true],
    ['without lengths', true, false],
    ['without either', false, false],
  ])('survives a broken connection, %s', async (_, ranges, lengths) => {
    Object.assign(server.manners, { ranges, lengths, breakAfter: { bytes: 120_000, times: 2 } });
    const url = `${server.url}m/model.onnx`;
    const model = await downloads.download(url, ['model.onnx'], silent);
    expect(model.files[0]!.sha256).toBe(sha(MODEL));
    expect(await read(url)).toEqual(MODEL);
    if (ranges) expect(server.requests.map((r) => r.range)).toContain('bytes=120000-');
  });

  it('goes on after a connection that broke off for good', async () => {
    server.manners.breakAfter = { bytes: 50_000, times: 5 };
    const url = `${server.url}m/model.onnx`;
    await expect(downloads.download(url, ['model.onnx'], silent)).rejects.toThrow(
      /broke off after 250000 of 300000 bytes/,
    );
    const after = new Downloads(options());
    expect((await after.look(url)).files[0]).toMatchObject({ here: 250_000, sha256: null });
    const told: DownloadProgress[] = [];
    const model = await after.download(url, ['model.onnx'], (p) => told.push(p));
    expect(told[0]!.done).toBe(250_000);
    expect(server.requests.at(-1)!.range).toBe('bytes=250000-');
    expect(model.files[0]!.sha256).toBe(sha(MODEL));
  });

  it('never joins two versions', async () => {
    const url = `${server.url}m/model.onnx`;
    server.manners.breakAfter = { bytes: 50_000, times: 5 };
    await expect(downloads.download(url, ['model.onnx'], silent)).rejects.toThrow(/broke off/);
    const other = bytesOf(300_000, 7);
    server.files.set('/m/model.onnx', other);
    server.manners.etag = '"2"';
    const model = await downloads.download(url, ['model.onnx'], silent);
    expect(model.files[0]!.sha256).toBe(sha(other));
    expect(await read(url)).toEqual(other);
  });

  it('that became shorter begins anew', async () => {
    const url = `${server.url}m/model.onnx`;
    server.manners.breakAfter = { bytes: 50_000, times: 5 };
    await expect(downloads.download(url, ['model.onnx'], silent)).rejects.toThrow(/broke off/);
    const other = bytesOf(1000, 7);
    server.files.set('/m/model.onnx', other);
    const model = await downloads.download(url, ['model.onnx'], silent);
    expect(model.files[0]!.sha256).toBe(sha(other));
  });

  it('is kept as far as it came when cancelled', async () => {
    const url = `${server.url}m/model.onnx`;
    server.manners.breakAfter = { bytes: 100_000, times: 1 };
    const going = downloads.download(url, ['model.onnx'], ({ done }) => {
      if (done >= 100_000) downloads.cancel();
    });
    await expect(going).rejects.toThrow('The download was cancelled.');
    expect((await downloads.look(url)).files[0]).toMatchObject({ here: 100_000, sha256: null });
    expect((await downloads.download(url, ['model.onnx'], silent)).complete).toBe(true);
  });

  it('is not begun where there is no room, and kept where the room ran out', async () => {
    const url = `${server.url}m/model.onnx`;
    const tight = new Downloads({ ...options(), room: () => Promise.resolve({ used: 10, quota: 200_000 }) });
    await expect(tight.download(url, ['model.onnx'], silent)).rejects.toThrow(/no room/);
    expect(depot.contents.size).toBe(0);
    depot.limit = 150_000;
    await expect(downloads.download(url, ['model.onnx'], silent)).rejects.toThrow(/no room/);
    depot.limit = Infinity;
    expect((await downloads.download(url, ['model.onnx'], silent)).files[0]!.sha256).toBe(sha(MODEL));
  });

  it('that another address has too is kept once', async () => {
    server.files.set('/n/other.onnx', MODEL);
    await downloads.download(`${server.url}m/model.onnx`, ['model.onnx'], silent);
    await downloads.download(`${server.url}n/other.onnx`, ['other.onnx'], silent);
    expect(depot.contents.size).toBe(1);
    await stored.remove(`${server.url}m/model.onnx`);
    expect(await read(`${server.url}n/other.onnx`)).toEqual(MODEL);
  });

  it('that the browser cleared is told of', async () => {
    const url = `${server.url}m/model.onnx`;
    await downloads.download(url, ['model.onnx'], silent);
    depot.contents.clear();
    await expect(stored.open(url)).rejects.toThrow(/may have cleared it/);
  });
});

describe('refusals', () => {
  it.each([
    [404, /There is no file at .*absent\.onnx/],
    [403, /not open to everyone \(403\)/],
    [429, /asked too often/],
    [500, /answered 500/],
  ])('a server that answers %d', async (status, message) => {
    server.manners.status = status;
    await expect(downloads.look(`${server.url}m/absent.onnx`)).rejects.toThrow(message);
  });

  it('a web page', async () => {
    server.manners.type = 'text/html; charset=utf-8';
    await expect(downloads.look(`${server.url}m/model.onnx`)).rejects.toThrow(/shows a web page/);
  });

  it('no connection, or a server that forbids it', async () => {
    const failing = new Downloads(options(() => Promise.reject(new TypeError('Failed to fetch'))));
    await expect(failing.look('https://example.org/a.onnx')).rejects.toThrow(
      /example\.org did not give a\.onnx: there is no connection, or/,
    );
  });

  it('a second download beside the first', async () => {
    const url = `${server.url}m/model.onnx`;
    const first = downloads.download(url, ['model.onnx'], silent);
    await expect(downloads.download(url, ['model.onnx'], silent)).rejects.toThrow(/going on/);
    await first;
  });
});

describe('models of several files', () => {
  it('are found beside: what PyTorch writes next to a model', async () => {
    const folder = 'llama-dyn20';
    const names = readdirSync(`e2e/golden/zoo/${folder}`).filter((n) => /^model\.onnx/.test(n));
    expect(names).toContain('model.onnx.data');
    for (const name of names) server.files.set(`/z/${name}`, zoo(`${folder}/${name}`));
    const url = `${server.url}z/model.onnx`;
    const looked = await downloads.look(url);
    expect(looked.files.map((f) => f.path)).toEqual(['model.onnx', 'model.onnx.data']);
    await downloads.download(url, ['model.onnx', 'model.onnx.data'], silent);
    const { name, files } = await stored.open(url);
    const model = await openModel(await pickedFiles(name, files), 'model.onnx');
    expect(model.bytes).toBe(names.reduce((n, file) => n + zoo(`${folder}/${file}`).byteLength, 0));
  });

  it('under other names are asked for once the model is here', async () => {
    const model = zoo('llama-dyn20/model.onnx');
    // The location stands in the file as it is: one of the same length keeps the file whole.
    const renamed = Buffer.from(model);
    const text = Buffer.from('model.onnx.data');
    for (let at = renamed.indexOf(text); at >= 0; at = renamed.indexOf(text))
      renamed.write('weights/all.bin', at);
    server.files.set('/z/model.onnx', renamed);
    server.files.set('/z/weights/all.bin', zoo('llama-dyn20/model.onnx.data'));
    const url = `${server.url}z/model.onnx`;
    expect((await downloads.look(url)).files.map((f) => f.path)).toEqual(['model.onnx']);
    const first = await downloads.download(url, ['model.onnx'], silent);
    expect(first.complete).toBe(false);
    expect(first.files).toMatchObject([
      { path: 'model.onnx' },
      { path: 'weights/all.bin', here: 0, bytes: zoo('llama-dyn20/model.onnx.data').byteLength },
    ]);
    const again = await downloads.look(url);
    expect(again.files).toHaveLength(2);
    const second = await downloads.download(url, ['weights/all.bin'], silent);
    expect(second.complete).toBe(true);
    const { name, files } = await stored.open(url);
    await expect(openModel(await pickedFiles(name, files), 'model.onnx')).resolves.toBeDefined();
  });

  it('a folder with a list', async () => {
    const list = {
      files: [
        { path: 'model.onnx', size: 300_000 },
        { path: '../../etc/passwd', size: 5 },
      ],
    };
    server.files.set('/m/files.json', new TextEncoder().encode(JSON.stringify(list)));
    const model = await downloads.look(`${server.url}m/`);
    expect(model).toMatchObject({ name: 'm', files: [{ path: 'model.onnx', bytes: 300_000 }] });
  });

  it('a pipeline, by its model_index.json', async () => {
    const index = {
      _class_name: 'OnnxStableDiffusionPipeline',
      unet: ['d', 'O'],
      vae_decoder: ['d', 'O'],
      tokenizer: ['t', 'C'],
    };
    server.files.set('/sd/model_index.json', new TextEncoder().encode(JSON.stringify(index)));
    for (const path of ['unet/model.onnx', 'unet/model.onnx_data', 'tokenizer/vocab.json'])
      server.files.set(`/sd/${path}`, bytesOf(100));
    const model = await downloads.look(`${server.url}sd/model_index.json`);
    expect(model.files.map((f) => f.path).sort()).toEqual([
      'model_index.json',
      'tokenizer/vocab.json',
      'unet/model.onnx',
      'unet/model.onnx_data',
    ]);
  });

  it('a folder without either', async () => {
    await expect(downloads.look(`${server.url}m/`)).rejects.toThrow(
      /neither a files\.json nor a model_index\.json/,
    );
  });

  it('a repository, in pages, without what is no part of a model', async () => {
    const entry = (path: string, size: number) => ({ type: 'file', path, size });
    const pages = [
      [
        entry('onnx/model.onnx', 10),
        entry('README.md', 5),
        entry('model.safetensors', 99),
        entry('../x.onnx', 1),
      ],
      [entry('tokenizer.json', 7), { type: 'directory', path: 'onnx' }],
    ];
    const asked: string[] = [];
    const fake: Fetch = (url) => {
      asked.push(url);
      const second = url.includes('cursor');
      return Promise.resolve(
        new Response(JSON.stringify(pages[second ? 1 : 0]), {
          headers: second ? {} : { Link: `<${url}&cursor=x>; rel="next"` },
        }),
      );
    };
    const model = await new Downloads(options(fake)).look('huggingface.co/someone/small-bert');
    expect(asked[0]).toBe('https://huggingface.co/api/models/someone/small-bert/tree/main/?recursive=true');
    expect(model).toMatchObject({ name: 'small-bert', host: 'huggingface.co' });
    expect(model.files.map((f) => f.path)).toEqual(['onnx/model.onnx', 'tokenizer.json']);
  });
});
