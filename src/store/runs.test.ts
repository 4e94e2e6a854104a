/** @file The store keeps whole checkpoints only, the last two, and falls back when one is damaged. */
import 'fake-indexeddb/auto';
import { createStore, entries, set } from 'idb-keyval';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { StoreError } from './errors.ts';
import { bytesOf, RunStore, type WrittenHeader } from './runs.ts';

interface Content {
  readonly step: number;
  readonly theta: Float32Array;
}

const parsers = {
  content: (stored: unknown): Content => {
    const c = stored as Content;
    if (!(c.theta instanceof Float32Array) || c.theta.length !== 3) throw new Error('theta');
    return c;
  },
  job: (stored: unknown): Job => {
    if ((stored as { version: unknown }).version !== 1) throw new Error('job');
    return stored as Job;
  },
};

const job = { version: 1, task: 'diffusion', model: 'builtin:emoji', train: { steps: 9 } } as Job;
let serial = 0;
let database = '';
let store: RunStore<Content>;

const header = (id: string, step: number, more: Partial<WrittenHeader> = {}): WrittenHeader => ({
  id,
  job,
  step,
  savedAt: 1000 + step,
  finished: false,
  modelName: 'emoji',
  dataName: 'high-contrast/train',
  selfContained: true,
  ...more,
});
const content = (step: number): Content => ({ step, theta: new Float32Array([step, 2, 3]) });
const raw = (): ReturnType<typeof createStore> => createStore(database, 'runs');
const keys = async (): Promise<string[]> => (await entries<string, unknown>(raw())).map(([k]) => k);

const original = IDBObjectStore.prototype.put;
const putting = (put: typeof original) => vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(put);
const isCheckpoint = (key: IDBValidKey | undefined): boolean =>
  typeof key === 'string' && key.startsWith('checkpoint/');
/** So many transactions are cut off after a put. */
function cutOff(times: number): { mockRestore(): void } {
  let left = times;
  return putting(function (this: IDBObjectStore, value, key) {
    const request = original.call(this, value, key);
    if (left-- > 0) request.onsuccess = () => this.transaction.abort();
    return request;
  });
}

beforeEach(() => {
  database = `test-${serial++}`;
  store = new RunStore(parsers, database);
});

describe('RunStore', () => {
  it('gives back what was saved', async () => {
    const saved = await store.save(header('a', 7), content(7));
    expect(saved.bytes).toBe(bytesOf(content(7)));
    expect(await store.load('a')).toEqual({ header: saved, content: content(7), fellBack: false });
    expect(await store.list()).toEqual([saved]);
    expect(await store.load('b')).toBeNull();
  });

  it('keeps the last two checkpoints of a run and four before them, and leaves other runs alone', async () => {
    for (const step of [1, 2, 3, 4, 5, 6, 7]) await store.save(header('a', step), content(step));
    await store.save(header('ab', 9), content(9));
    expect((await keys()).sort()).toEqual([
      ...[2, 3, 4, 5, 6, 7].map((serial) => `checkpoint/a/000000000${serial}`),
      'checkpoint/ab/0000000001',
      'run/a',
      'run/ab',
    ]);
    expect((await store.list()).map((run) => [run.id, run.step])).toEqual([
      ['ab', 9],
      ['a', 7],
    ]);
  });

  it('names the steps that can be gone back to, and gives each', async () => {
    for (const step of [10, 20, 30, 30]) await store.save(header('a', step), content(step));
    expect(await store.steps('a')).toEqual([30, 20, 10].map((step) => ({ step, savedAt: 1000 + step })));
    expect(await store.loadAt('a', 20)).toMatchObject({ header: { step: 20 }, content: { step: 20 } });
    expect(await store.loadAt('a', 25)).toBeNull();
    expect([await store.steps('b'), await store.loadAt('b', 1)]).toEqual([[], null]);
    await store.thin();
    expect(await store.steps('a')).toEqual([{ step: 30, savedAt: 1030 }]);
  });

  it('finds the steps of a record of an older version, which did not write them down', async () => {
    for (const step of [10, 20]) await store.save(header('a', step), content(step));
    const record = new Map(await entries<string, Record<string, unknown>>(raw())).get('run/a')!;
    await set('run/a', { ...record, marks: undefined }, raw());
    expect((await store.steps('a')).map(({ step }) => step)).toEqual([20, 10]);
    expect(await store.loadAt('a', 10)).toMatchObject({ content: { step: 10 } });
    for (const step of [30, 40, 50, 60]) await store.save(header('a', step), content(step));
    expect((await store.steps('a')).map(({ step }) => step)).toEqual([60, 50, 40, 30, 20, 10]);
  });

  it('gives up earlier checkpoints for a newer one where the disk is full', async () => {
    for (const step of [1, 2, 3]) await store.save(header('a', step), content(step));
    const put = vi.spyOn(IDBObjectStore.prototype, 'put');
    put.mockImplementationOnce(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    await store.save(header('a', 4), content(4));
    put.mockRestore();
    expect((await store.steps('a')).map(({ step }) => step)).toEqual([4, 3]);
  });

  it.each([
    ['content of the wrong shape', { step: 2, theta: new Float32Array(2) }],
    ['content of the wrong type', { step: 2, theta: [1, 2, 3] }],
  ])('falls back to the checkpoint before: %s', async (_, bad) => {
    await store.save(header('a', 1), content(1));
    await store.save(header('a', 2), bad as Content);
    const loaded = await store.load('a');
    expect(loaded).toMatchObject({ fellBack: true, header: { step: 1 }, content: { step: 1 } });
  });

  it('falls back when a record is not one at all', async () => {
    await store.save(header('a', 1), content(1));
    await store.save(header('a', 2), content(2));
    await set('checkpoint/a/0000000002', 'rubbish', raw());
    expect(await store.load('a')).toMatchObject({ fellBack: true, header: { step: 1 } });
    await set('checkpoint/a/0000000001', { version: 2 }, raw());
    await expect(store.load('a')).rejects.toMatchObject({ name: 'StoreError', failure: 'damaged' });
  });

  it('leaves records that cannot be read out of the list', async () => {
    await store.save(header('a', 1), content(1));
    await store.save(header('b', 2, { job: { ...job, version: 2 as 1 } }), content(2));
    await set('run/c', { header: 'rubbish' }, raw());
    expect((await store.list()).map((run) => run.id)).toEqual(['a']);
  });

  it('writes nothing of a checkpoint that cannot be stored', async () => {
    await store.save(header('a', 1), content(1));
    const before = await entries(raw());
    const unclonable = { ...content(2), loop: () => 0 } as Content;
    await expect(store.save(header('a', 2), unclonable)).rejects.toBeInstanceOf(StoreError);
    expect(await entries(raw())).toEqual(before);
    expect(await store.load('a')).toMatchObject({ fellBack: false, header: { step: 1 } });
  });

  it('writes nothing of a checkpoint whose transaction is cut off', async () => {
    await store.save(header('a', 1), content(1));
    const before = await entries(raw());
    const put = cutOff(Infinity);
    await expect(store.save(header('a', 2), content(2))).rejects.toBeInstanceOf(StoreError);
    put.mockRestore();
    expect(await entries(raw())).toEqual(before);
  });

  it('writes a checkpoint whose transaction is cut off once over a new connection', async () => {
    const put = cutOff(1);
    await store.save(header('a', 2), content(2));
    put.mockRestore();
    expect((await keys()).sort()).toEqual(['checkpoint/a/0000000001', 'run/a']);
  });

  it('goes on over a new connection where the one it has was closed', async () => {
    await store.save(header('a', 1), content(1));
    const begun = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementationOnce(() => {
      throw new DOMException('closed', 'InvalidStateError');
    });
    await store.save(header('a', 2), content(2));
    begun.mockRestore();
    expect(await store.load('a')).toMatchObject({ header: { step: 2 } });
  });

  it('does not speak of private windows where connections to a database that is there are closed again and again', async () => {
    await store.save(header('a', 1), content(1));
    const begun = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(() => {
      throw new DOMException('closed', 'InvalidStateError');
    });
    await expect(store.save(header('a', 2), content(2))).rejects.toMatchObject({ failure: 'failed' });
    begun.mockRestore();
    expect(await store.load('a')).toMatchObject({ header: { step: 1 } });
  });

  it('lets go of a database that is deleted, and begins anew in the next', async () => {
    await store.save(header('a', 1), content(1));
    await new Promise((done, fail) => {
      const request = indexedDB.deleteDatabase(database);
      request.onsuccess = done;
      request.onblocked = fail;
    });
    await store.save(header('a', 2), content(2));
    expect((await store.steps('a')).map(({ step }) => step)).toEqual([2]);
  });

  it('takes out what cannot be read back, so that it pushes out nothing that can', async () => {
    for (const step of [1, 2]) await store.save(header('a', step), content(step));
    const before = await entries(raw());
    // Says that it stored what it did not, every time.
    const put = putting(function (this: IDBObjectStore, value, key) {
      return isCheckpoint(key) ? this.get(key!) : original.call(this, value, key);
    });
    for (const step of [3, 4, 5, 6, 7, 8, 9])
      await expect(store.save(header('a', step), content(step))).rejects.toThrow(/cannot be read back/);
    put.mockRestore();
    expect(await entries(raw())).toEqual(before);
    expect(await store.load('a')).toMatchObject({ fellBack: false, header: { step: 2 } });
  });

  it('lists a run of which nothing could be read back as one that saved nothing', async () => {
    const put = putting(function (this: IDBObjectStore, value, key) {
      const other = { ...(value as object), content: content(-1) };
      return original.call(this, isCheckpoint(key) ? other : value, key);
    });
    await expect(store.save(header('a', 3), content(3))).rejects.toThrow(/cannot be read back/);
    put.mockRestore();
    expect(await store.list()).toMatchObject([{ step: 0, checkpoints: 0, bytes: 0, finished: false }]);
    expect(await store.load('a')).toBeNull();
  });

  it('knows the newest checkpoint although the record that lists them is damaged', async () => {
    for (const step of [1, 2, 3]) await store.save(header('a', step), content(step));
    await set('run/a', 'rubbish', raw());
    await store.save(header('a', 4), content(4));
    expect(await store.load('a')).toMatchObject({ fellBack: false, header: { step: 4 } });
    expect((await store.steps('a')).map(({ step }) => step)).toEqual([4, 3, 2, 1]);
  });

  it('says what to free when the disk is full, and loses nothing', async () => {
    await store.save(header('old', 1), content(1));
    await store.save(header('a', 1), content(1));
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('full', 'QuotaExceededError');
    });
    const failure: unknown = await store.save(header('a', 2), content(2)).catch((e: unknown) => e);
    put.mockRestore();
    expect(failure).toMatchObject({ name: 'StoreError', failure: 'full' });
    expect((failure as StoreError).cure).toMatch(/Discard older runs/);
    expect(await store.load('a')).toMatchObject({ fellBack: false, header: { step: 1 } });
  });

  it('removes a run whole', async () => {
    await store.save(header('a', 1), content(1));
    await store.save(header('b', 1), content(1));
    await store.remove('a');
    expect((await keys()).sort()).toEqual(['checkpoint/b/0000000001', 'run/b']);
  });

  it('tidies orphans and what was removed long ago, and nothing else', async () => {
    await store.save(header('unfinished', 1), content(1));
    for (let i = 0; i < 8; i++) await store.save(header(`done-${i}`, 2, { finished: true }), content(2));
    await store.setRemoved('done-1', 500);
    await store.setRemoved('done-2', 1500);
    await set('checkpoint/gone/0000000001', 'left over', raw());
    expect(await store.tidy(1000)).toEqual(['done-1']);
    const left = ['unfinished', ...[0, 2, 3, 4, 5, 6, 7].map((i) => `done-${i}`)].sort();
    expect((await keys()).sort()).toEqual([
      ...left.map((id) => `checkpoint/${id}/0000000001`),
      ...left.map((id) => `run/${id}`),
    ]);
    expect((await store.list()).map(({ id }) => id).sort()).toEqual(left.filter((id) => id !== 'done-2'));
  });
});
