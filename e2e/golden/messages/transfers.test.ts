/** @file What comes from elsewhere: downloads from hosts that misbehave, and archives that are damaged. */
import { depth } from '#src/platform/testing/depth.ts';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unzipFiles } from '#src/formats/files/zip.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { Downloads } from '#workers/download/downloads.ts';
import type { Fetch } from '#workers/download/fetching.ts';
import { StoredModels } from '#workers/download/stored.ts';
import { type MemoryDepot, memoryDepot } from '#workers/download/testing/memoryDepot.ts';
import { serve, type Served } from '#workers/download/testing/server.ts';
import { zipFiles } from '#workers/trainer/files/zipFiles.ts';
import { refusesLater } from './drive.ts';

const MODEL = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) & 255);
const silent = (): undefined => undefined;

describe('downloads', () => {
  let server: Served;
  let depot: MemoryDepot;
  const downloads = (fetcher: Fetch = fetch): Downloads =>
    new Downloads({
      depot,
      fetch: fetcher,
      room: () => Promise.resolve(null),
      pause: () => Promise.resolve(),
    });
  const both = async (url: string, from = downloads()): Promise<boolean[]> => [
    await refusesLater(() => from.look(url), `look at ${url}`),
    await refusesLater(() => from.download(url, ['model.onnx'], silent), `download ${url}`),
  ];

  beforeEach(async () => {
    server = await serve({ '/m/model.onnx': MODEL });
    depot = memoryDepot();
  });
  afterEach(() => server.close());

  it.each([400, 401, 403, 404, 410, 416, 429, 500, 503])('the host answers %d', async (status) => {
    server.manners.status = status;
    const refused = await both(`${server.url}m/model.onnx`);
    // 416 is how a host says that a file is empty.
    expect(refused.some(Boolean)).toBe(true);
  });

  it('a web page comes instead of the file', async () => {
    server.manners.type = 'text/html; charset=utf-8';
    expect(await both(`${server.url}m/model.onnx`)).toContain(true);
  });

  it('the host lets no other page read, or there is no connection', async () => {
    const none: Fetch = () => Promise.reject(new TypeError('Failed to fetch'));
    expect(await both('https://example.org/model.onnx', downloads(none))).toEqual([true, true]);
  });

  it.each([
    '',
    'not an address',
    'ftp://x/y.onnx',
    'file:///etc/passwd',
    'https://u:p@x.org/m.onnx',
    'https://x.org/m.pt',
    'https://',
  ])('the address "%s"', async (url) => {
    expect(await both(url)).toEqual([true, true]);
  });

  it('the connection breaks off, again and again', async () => {
    server.manners.breakAfter = { bytes: 50, times: 1000 };
    server.manners.ranges = false;
    const from = downloads();
    await from.look(`${server.url}m/model.onnx`);
    expect(
      await refusesLater(
        () => from.download(`${server.url}m/model.onnx`, ['model.onnx'], silent),
        'broken off',
      ),
    ).toBe(true);
  });

  it('more comes than was said', async () => {
    const from = downloads(async (url, init) => {
      const response = await fetch(url, init);
      if (new Headers(init.headers).get('Range') === 'bytes=0-0') return response;
      return new Response(new Uint8Array(200_000), { status: 200, headers: { 'Content-Type': 'x/y' } });
    });
    const url = `${server.url}m/model.onnx`;
    await from.look(url);
    expect(await refusesLater(() => from.download(url, ['model.onnx'], silent), 'too much')).toBe(true);
    expect((await new StoredModels(depot).list()).every(({ complete }) => !complete)).toBe(true);
  });

  it('there is no room', async () => {
    depot.limit = 1000;
    const from = downloads();
    const url = `${server.url}m/model.onnx`;
    await from.look(url);
    expect(await refusesLater(() => from.download(url, ['model.onnx'], silent), 'no room')).toBe(true);
  });

  it('nothing was chosen, or nothing is there', async () => {
    const url = `${server.url}m/model.onnx`;
    expect(await refusesLater(() => downloads().download(url, [], silent), 'nothing')).toBe(true);
    expect(await refusesLater(() => new StoredModels(depot).open(url), 'not here')).toBe(true);
  });
});

describe('archives', () => {
  const whole = zipSync({
    'data/a.csv': new TextEncoder().encode('text,label\n'.repeat(50)),
    'data/b.txt': new TextEncoder().encode('x'.repeat(300)),
  });

  it('with bytes exchanged, or cut off', async () => {
    const wanted = await unzipFiles(whole);
    let refusals = 0;
    for (let i = 0; i < depth(40, 120); i++) {
      const bytes = damaged(dice(i), whole);
      const what = `archive ${i}`;
      const got = new Map<string, Uint8Array>();
      const refused = await refusesLater(async () => {
        const set = await zipFiles('data.zip', new Blob([Uint8Array.from(bytes)]));
        for (const path of set.paths) got.set(path, await set.read(path));
      }, what);
      if (refused) refusals++;
      // Checksums: what is read is what was packed, under whatever name.
      if (!refused)
        for (const content of got.values())
          expect(
            [...wanted.values()].some((w) => Buffer.from(w).equals(Buffer.from(content))),
            what,
          ).toBe(true);
      await refusesLater(() => unzipFiles(bytes), what);
    }
    expect(refusals).toBeGreaterThan(depth(10, 30));
  });
});
