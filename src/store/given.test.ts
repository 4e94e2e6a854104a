/** @file Given files come back as they were, are shared, and go with the last run that wants them; what is damaged or cut off is not there. */
import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { createStore, del, entries, set } from 'idb-keyval';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { contentKey } from './contentKey.ts';
import { type Given, GivenStore, PARTS } from './given.ts';

let serial = 0;
let database = '';
let store: GivenStore;
const open = (bytes = 1000): GivenStore => new GivenStore(database, () => Promise.resolve(bytes));
const raw = (): ReturnType<typeof createStore> => createStore(database, 'given');
beforeEach(() => {
  database = `given-${serial++}`;
  store = open();
});

const source = (name: string, files: Record<string, string>) => ({
  kind: 'files' as const,
  name,
  files: Object.entries(files).map(([path, text]) => ({
    path,
    blob: new Blob([text], { type: 'text/plain' }),
  })),
});
/** Sources as texts, to be compared. */
async function texts(kept: Awaited<ReturnType<GivenStore['get']>>): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const part of PARTS) {
    const files = kept.sources[part];
    if (files)
      found[part] = [
        files.name,
        Object.fromEntries(
          await Promise.all(files.files.map(async ({ path, blob }) => [path, await blob.text()])),
        ),
      ];
  }
  return found;
}

describe('given files', () => {
  it('come back as they were', async () => {
    const given: Given = {
      model: source('net.onnx', { 'net.onnx': 'weights' }),
      train: source('words', { 'a/x.txt': 'x', 'b.txt': '', 'c.txt': 'x' }),
      heldout: { kind: 'builtin', id: 'built/in' },
      adapter: null,
    };
    expect(await store.put('run', given)).toEqual({});
    const kept = await open().get('run');
    expect(await texts(kept)).toEqual({
      model: ['net.onnx', { 'net.onnx': 'weights' }],
      train: ['words', { 'a/x.txt': 'x', 'b.txt': '', 'c.txt': 'x' }],
    });
    expect(kept.missing).toEqual({});
    expect(kept.sources.model!.files[0]!.blob.type).toBe('text/plain');
    // Equal contents lie there once.
    expect(await store.bytes()).toBe(8);
    expect(await store.get('other')).toEqual({ sources: {}, missing: {} });
  });

  it('come back whole, large ones and small ones', async () => {
    const large = new Uint8Array(2 ** 18 + 1).map((_, i) => i * 3);
    const files = [large, large.subarray(1), large.subarray(0, 0)].map((bytes, i) => ({
      path: `${i}.bin`,
      blob: new Blob([bytes], { type: 'image/png' }),
    }));
    await open(1e6).put('run', { train: { kind: 'files', name: 'pictures', files } });
    const back = (await store.get('run')).sources.train!.files;
    for (const [i, { path, blob }] of files.entries()) {
      expect(back[i]).toMatchObject({ path, blob: { type: 'image/png', size: blob.size } });
      expect(await contentKey(back[i]!.blob)).toBe(await contentKey(blob));
    }
  });

  it('are known by name where they are too large, small ones first', async () => {
    const given = {
      train: source('much', { a: 'x'.repeat(900) }),
      model: source('net', { n: 'y'.repeat(200) }),
    };
    expect(await store.put('run', given)).toEqual({ train: 'much' });
    const kept = await store.get('run');
    expect(Object.keys(kept.sources)).toEqual(['model']);
    expect(kept.missing).toEqual({ train: 'much' });
    expect(await store.bytes()).toBe(200);
  });

  it('do not hinder a run where nothing can be stored', async () => {
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    expect(await store.put('run', { train: source('words', { a: 'x' }) })).toEqual({ train: 'words' });
    put.mockRestore();
    expect(await store.get('run')).toEqual({ sources: {}, missing: {} });
    expect(await entries(raw())).toEqual([]);
  });

  it.each([
    ['gone', (key: string) => del(key, raw())],
    ['another size', (key: string) => set(key, { version: 1, blob: new Blob(['12']) }, raw())],
    ['no file', (key: string) => set(key, { version: 1, blob: 'text' }, raw())],
    ['of another version', (key: string) => set(key, { version: 2, blob: new Blob(['x']) }, raw())],
    [
      'bytes of another size',
      (key: string) => set(key, { version: 1, bytes: new ArrayBuffer(2), type: '' }, raw()),
    ],
  ])('are not there where one of them is %s', async (_, spoil) => {
    await store.put('run', {
      train: source('words', { a: 'x', b: 'yyy' }),
      model: source('net', { n: 'zz' }),
    });
    await spoil(`file/${await contentKey(new Blob(['x']))}`);
    const kept = await store.get('run');
    expect(Object.keys(kept.sources)).toEqual(['model']);
    expect(kept.missing).toEqual({ train: 'words' });
  });

  it('are not there where the run’s record is rubbish, and a tidy clears them away', async () => {
    await store.put('run', { train: source('words', { a: 'x' }) });
    await store.put('cut', { train: source('words', { a: 'x', b: 'zzz' }) });
    await set('run/run', { version: 1, sources: 'none' }, raw());
    // A keeping that was cut off has no record yet.
    await del('run/cut', raw());
    expect(await store.get('run')).toEqual({ sources: {}, missing: {} });
    expect(await store.get('cut')).toEqual({ sources: {}, missing: {} });
    await store.tidy([]);
    expect(await entries(raw())).toEqual([]);
  });

  it('are kept exactly as long as a run wants them', async () => {
    const act = fc.record({
      run: fc.constantFrom('a', 'b', 'c'),
      files: fc.option(fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '22', '333'))),
      tidy: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 10 }), async (acts) => {
        database = `given-${serial++}`;
        store = open();
        const model = new Map<string, Record<string, string>>();
        for (const { run, files, tidy } of acts) {
          if (files) {
            await store.put(run, { train: source('data', files) });
            model.set(run, files);
          } else if (tidy) {
            model.delete(run);
            await store.tidy(model.keys());
          } else {
            await store.remove(run);
            model.delete(run);
          }
        }
        const wanted = new Set([...model.values()].flatMap((files) => Object.values(files)));
        expect(await store.bytes()).toBe([...wanted].reduce((n, text) => n + text.length, 0));
        for (const [run, files] of model)
          expect(await texts(await store.get(run))).toEqual({ train: ['data', files] });
        if (model.size === 0) expect(await entries(raw())).toEqual([]);
      }),
      { numRuns: depth(40, 400) },
    );
  });
});

describe('contentKey', () => {
  it('is equal for equal contents alone, over pieces', async () => {
    const big = new Uint8Array(5 * 2 ** 20).map((_, i) => i * 7);
    const key = await contentKey(new Blob([big]));
    expect(await contentKey(new Blob([big.subarray(0, 9), big.subarray(9)], { type: 'x/y' }))).toBe(key);
    expect(await contentKey(new Blob([big.subarray(1)]))).not.toBe(key);
    for (const at of [0, 3 * 2 ** 20, big.length - 1]) {
      const other = big.slice();
      other[at]! ^= 1;
      expect(await contentKey(new Blob([other]))).not.toBe(key);
    }
    expect(await contentKey(new Blob([]))).toMatch(/^[0-9a-f]{64}-0$/);
  });
});
