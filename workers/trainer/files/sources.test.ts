/** @file Built-in and picked folders as FileSets. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FetchMeter } from './fetchMeter.ts';
import { OwnFiles } from './ownFiles.ts';
import { builtinFiles, builtinSource, pickedFiles, sourceKey } from './sources.ts';
import { base, publicFetch } from '../testing/publicFetch.ts';

const own = (): OwnFiles => new OwnFiles(base, new FetchMeter());
const served = new Map<string, number>();
beforeAll(() => vi.stubGlobal('fetch', publicFetch(served)));
afterAll(() => vi.unstubAllGlobals());

describe('a built-in folder', () => {
  it('lists a folder inside it and reads files and ranges, counting what was fetched', async () => {
    const meter = new FetchMeter();
    const files = await builtinFiles('high-contrast/heldout', {
      own: new OwnFiles(base, meter),
      kind: 'data',
    });
    meter.begin();
    expect(files.paths).toHaveLength(74);
    expect(files.paths[0]).toBe('alien.png');
    const whole = await files.read('alien.png');
    expect(whole.byteLength).toBe(await files.size('alien.png'));
    expect(meter.sums).toEqual({ done: whole.byteLength, total: whole.byteLength });
    expect(await files.read('alien.png', 1, 3)).toEqual(whole.slice(1, 4));
    expect(await files.read('alien.png', 1)).toEqual(whole.slice(1));
    expect(served.get('data/high-contrast/heldout/alien.png')).toBe(1);
    await expect(files.read('nothing.png')).rejects.toThrow(/nothing\.png is not in/);
    await expect(files.size('nothing.png')).rejects.toThrow(/nothing\.png is not in/);
  });

  it.each(['../models', 'high-contrast/../..', '', 'high-contrast/none', '.hidden'])(
    'refuses "%s"',
    async (id) => {
      await expect(builtinFiles(id, { own: own(), kind: 'data' })).rejects.toThrow(/no built-in folder/);
    },
  );

  it('reads files out of one pack, fetched once and broken off twice', async () => {
    const listing = JSON.parse(readFileSync('public/data/high-contrast/files.json', 'utf8')) as {
      files: { path: string; size: number }[];
    };
    const pack = Buffer.concat(
      listing.files.map(({ path }) => readFileSync(`public/data/high-contrast/${path}`)),
    );
    const asked: string[] = [];
    vi.stubGlobal('fetch', (input: string, init?: RequestInit) => {
      const name = input.split('/').at(-1)!;
      const range = new Headers(init?.headers).get('range');
      asked.push(`${name} ${range ?? ''}`.trim());
      if (name === 'files.json') return Promise.resolve(Response.json({ ...listing, pack: pack.length }));
      const from = Number(/\d+/.exec(range ?? '0')![0]);
      // Each answer ends after a hundred thousand bytes, as a broken connection does.
      const body = new Uint8Array(pack.subarray(from, from + 100_000));
      const headers = {
        'content-length': `${pack.length - from}`,
        etag: '"1"',
        'content-range': `bytes ${from}-${pack.length - 1}/${pack.length}`,
      };
      return Promise.resolve(new Response(body, { status: range ? 206 : 200, headers }));
    });
    const meter = new FetchMeter();
    const shared = new OwnFiles(base, meter);
    const [train, heldout] = await Promise.all(
      ['train', 'heldout'].map((part) =>
        builtinFiles(`high-contrast/${part}`, { own: shared, kind: 'data' }),
      ),
    );
    for (const [files, part] of [
      [train!, 'train'],
      [heldout!, 'heldout'],
    ] as const)
      await Promise.all(
        files.paths.map(async (path) =>
          expect(
            Buffer.from(await files.read(path)).equals(
              readFileSync(`public/data/high-contrast/${part}/${path}`),
            ),
            path,
          ).toBe(true),
        ),
      );
    expect(asked.filter((what) => what === 'files.json')).toHaveLength(1);
    expect(asked.filter((what) => what === 'files.pack')).toHaveLength(1);
    expect(meter.sums.done).toBe(meter.sums.total);
    vi.stubGlobal('fetch', publicFetch(served));
  });

  it('says what to do when there is no connection or a file is short', async () => {
    const real = publicFetch();
    const broken = vi.fn<typeof fetch>(() => Promise.reject(new TypeError('offline')));
    vi.stubGlobal('fetch', broken);
    await expect(builtinFiles('high-contrast', { own: own(), kind: 'data' })).rejects.toThrow(
      /no connection/,
    );
    vi.stubGlobal('fetch', (input: string) =>
      input.endsWith('.json') ? real(input) : Promise.resolve(new Response('x')),
    );
    const files = await builtinFiles('high-contrast', { own: own(), kind: 'data' });
    await expect(files.read('train/airplane.png')).rejects.toThrow(/1 bytes instead of/);
    vi.stubGlobal('fetch', publicFetch(served));
  });
});

describe('picked files', () => {
  const blob = (text: string): Blob => new Blob([text]);
  const filesOf = () =>
    pickedFiles('mine', [
      { path: 'b.txt', blob: blob('hello') },
      { path: 'a\\c.txt', blob: blob('there') },
      { path: '.hidden/x', blob: blob('') },
      { path: '__MACOSX/b.txt', blob: blob('') },
    ]);

  it('are sorted, without hidden ones, and read by range', async () => {
    const files = await filesOf();
    expect(files.paths).toEqual(['a/c.txt', 'b.txt']);
    expect(new TextDecoder().decode(await files.read('b.txt', 1, 3))).toBe('ell');
    expect(await files.size('a/c.txt')).toBe(5);
    await expect(files.read('x')).rejects.toThrow(/x is not in mine/);
  });

  it('that were moved since are told of', async () => {
    const gone = blob('x');
    gone.slice = () => ({ arrayBuffer: () => Promise.reject(new Error('NotFoundError')) }) as unknown as Blob;
    const moved = await pickedFiles('mine', [{ path: 'a.png', blob: gone }]);
    await expect(moved.read('a.png')).rejects.toThrow(/a\.png could not be read: it was moved/);
  });
});

it('keys differ when files do', () => {
  const file = (text: string, lastModified: number) => ({
    path: 'a',
    blob: new File([text], 'a', { lastModified }),
  });
  const key = (text: string, at: number) =>
    sourceKey({ kind: 'files', name: 'mine', files: [file(text, at)] });
  expect(new Set([key('x', 1), key('x', 2), key('xy', 1), sourceKey(null), 'x']).size).toBe(5);
  expect(key('x', 1)).toBe(key('x', 1));
  expect(builtinSource('builtin:emoji')).toEqual({ kind: 'builtin', id: 'emoji' });
  expect(builtinSource('my-folder')).toBeNull();
});
