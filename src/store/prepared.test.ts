/** @file Prepared data come back as they went in, are counted once, and never stand in the way of a run. */
import 'fake-indexeddb/auto';
import { createStore, set as write } from 'idb-keyval';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type KeptItem, PreparedStore } from './prepared.ts';

let serial = 0;
let database = '';
let store: PreparedStore;
let clock = 0;

const picture = (name: string, side = 2): KeptItem => ({
  kind: 'picture',
  name,
  width: side,
  height: side,
  rgb: Uint8Array.from({ length: 3 * side * side }, (_, i) => i & 255),
});
const arrays = (name: string): KeptItem => ({
  kind: 'arrays',
  name,
  arrays: { latent: Float32Array.of(1.5, -2), ids: BigInt64Array.of(7n) },
});
const all = async (set: string): Promise<KeptItem[]> => {
  const found: KeptItem[] = [];
  for await (const item of store.items(set)) found.push(item);
  return found;
};

beforeEach(() => {
  database = `prepared-${++serial}`;
  store = new PreparedStore(database, () => ++clock);
});

describe('PreparedStore', () => {
  it('gives back what was put, before and after it is written', async () => {
    await store.put('cats', 'a', picture('a.png'));
    await store.put('cats', 'b', arrays('b.png'));
    expect(await store.get('cats', 'a')).toEqual(picture('a.png'));
    await store.flush();
    const again = new PreparedStore(database);
    expect(await again.get('cats', 'a')).toEqual(picture('a.png'));
    expect(await again.get('cats', 'b')).toEqual(arrays('b.png'));
    expect(await again.get('cats', 'c')).toBeNull();
    expect(await again.get('dogs', 'a')).toBeNull();
  });

  it('counts items and bytes once, last used first', async () => {
    await store.put('cats', 'a', picture('a.png'));
    await store.put('cats', 'b', arrays('b.png'));
    await store.flush();
    await store.put('cats', 'a', picture('a.png'));
    await store.put('a/b %', 'a', picture('a.png'));
    expect(await store.list()).toMatchObject([
      { name: 'a/b %', items: 1, bytes: 12 },
      { name: 'cats', items: 2, bytes: 28 },
    ]);
    expect(await all('cats')).toHaveLength(2);
    expect(await all('a/b %')).toHaveLength(1);
  });

  it('writes by itself once enough waits', async () => {
    const large = picture('large', 1200);
    await store.put('cats', 'a', large);
    const kept = await new PreparedStore(database).get('cats', 'a');
    // A deep comparison of millions of numbers takes a test runner seconds.
    expect(kept?.kind === 'picture' && large.kind === 'picture' && Buffer.compare(kept.rgb, large.rgb)).toBe(
      0,
    );
  });

  it('forgets one set and keeps the others', async () => {
    await store.put('cats', 'a', picture('a.png'));
    await store.put('cat', 'a', picture('a.png'));
    await store.flush();
    await store.remove('cat');
    expect((await store.list()).map(({ name }) => name)).toEqual(['cats']);
    expect(await all('cat')).toEqual([]);
  });

  it('passes over what another version or a fault wrote', async () => {
    await write(
      'item/cats/a',
      { version: 1, item: { kind: 'picture', name: 'x', width: 0 } },
      createStore(database, 'prepared'),
    );
    await write('item/cats/b', { version: 9 }, createStore(database, 'prepared'));
    expect(await store.get('cats', 'a')).toBeNull();
    expect(await all('cats')).toEqual([]);
  });

  it('stops keeping when the storage is full, without a word to the run', async () => {
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    try {
      await store.put('cats', 'a', picture('a.png'));
      await store.flush();
      await store.put('cats', 'b', picture('b.png'));
      await store.flush();
      expect(put).toHaveBeenCalledTimes(1);
    } finally {
      put.mockRestore();
    }
    expect(await store.get('cats', 'a')).toBeNull();
    // Room was made: it keeps again.
    await store.remove('cats');
    await store.put('cats', 'a', picture('a.png'));
    expect(await store.list()).toMatchObject([{ items: 1 }]);
  });
});
