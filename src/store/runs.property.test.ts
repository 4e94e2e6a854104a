/** @file The store under records of every state and version, damage anywhere, and transactions that are cut off: nothing readable is lost. */
import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { createStore, entries, set } from 'idb-keyval';
import { describe, expect, it, vi } from 'vitest';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { LIVES, type WrittenHeader } from './runHeader.ts';
import { RunStore } from './runs.ts';
import { EARLIER, NEWEST } from './spacing.ts';

const job = { version: 1, task: 'language', train: { steps: 9 } } as Job;
const parsers = {
  content: (stored: unknown): Float32Array => {
    if (!(stored instanceof Float32Array) || stored.length !== 2) throw new Error('content');
    return stored;
  },
  job: (stored: unknown): Job => {
    if ((stored as Partial<Job> | null)?.version !== 1) throw new Error('job');
    return stored as Job;
  },
};

let serial = 0;
function fresh(): { readonly store: RunStore<Float32Array>; readonly raw: ReturnType<typeof createStore> } {
  const database = `property-${serial++}`;
  return { store: new RunStore(parsers, database), raw: createStore(database, 'runs') };
}

/** As every version wrote them. */
const basis = (id: string, step: number, finished = false): WrittenHeader => ({
  ...{ id, job, step, finished, savedAt: 1000 + step },
  ...{ modelName: 'tiny', dataName: 'words/train', selfContained: true },
});

const details = fc.record(
  {
    state: fc.constantFrom(...LIVES),
    startedAt: fc.nat(),
    total: fc.nat(100),
    pictures: fc.array(
      fc.record({
        width: fc.constant(2),
        height: fc.constant(1),
        rgba: fc.constant(new Uint8ClampedArray(8)),
      }),
      { maxLength: 4 },
    ),
    texts: fc.array(fc.string({ maxLength: 120 }), { maxLength: 2 }),
    heldout: fc.option(
      fc.record({ first: fc.float({ noNaN: true, noDefaultInfinity: true }), last: fc.constant(1) }),
    ),
    losses: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 64 }),
    rates: fc.constantFrom(
      [],
      [{ step: 3, factor: 0.1 }],
      [
        { step: 0, factor: 3 },
        { step: 7, factor: 1 },
      ],
    ),
  },
  { requiredKeys: [] },
);

/** What stands in for a part of a record. */
const rubbish = fc.constantFrom<unknown>(
  null,
  undefined,
  NaN,
  -1,
  'x',
  [],
  {},
  [{}],
  { version: 2 },
  new Float32Array(1),
);
const DETAILS = [
  'state',
  'startedAt',
  'total',
  'pictures',
  'texts',
  'measure',
  'heldout',
  'problem',
  'losses',
  'rates',
];

describe('records', () => {
  it('of older versions are filled up, and the details of newer ones come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(details, fc.nat(9), fc.boolean(), async (more, step, finished) => {
        const { store, raw } = fresh();
        const header = { ...basis('a', step, finished), ...more };
        await set('run/a', { version: 1, header: { ...header, bytes: 5 }, checkpoints: [3] }, raw);
        const [run] = await store.list();
        const state =
          more.state ?? (finished ? (step < (more.total ?? 9) ? 'stopped' : 'finished') : 'paused');
        expect(run).toEqual({
          ...{ pictures: [], texts: [], losses: [], rates: [], measure: null, heldout: null, problem: null },
          ...{ total: 9, startedAt: 1000 + step, name: 'Write text: words', checkpoints: 1, bytes: 5 },
          ...header,
          ...{ state, finished: state === 'finished' || state === 'stopped' },
        });
      }),
      { numRuns: depth(40, 400) },
    );
  });

  it('lose a damaged detail and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(details, fc.constantFrom(...DETAILS), rubbish, async (more, key, bad) => {
        const { store, raw } = fresh();
        await store.save({ ...basis('a', 1), ...more }, new Float32Array(2));
        const [before] = await store.list();
        const record = new Map(await entries<string, { header: object }>(raw)).get('run/a')!;
        await set('run/a', { ...record, header: { ...record.header, [key]: bad } }, raw);
        const [after] = await store.list();
        const others = Object.keys(before!).filter((k) => ![key, 'state', 'finished', 'total'].includes(k));
        for (const other of others)
          expect(after).toHaveProperty(other, before![other as keyof typeof before]);
        expect((await store.load('a'))?.content).toEqual(new Float32Array(2));
      }),
      { numRuns: depth(60, 600) },
    );
  });

  it('that are rubbish hide no other run, and are not taken for one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rubbish, { maxLength: 4 }),
        fc.constantFrom('run', 'checkpoint'),
        async (bad, kind) => {
          const { store, raw } = fresh();
          await store.save(basis('good', 1), new Float32Array(2));
          for (const [i, record] of bad.entries())
            await set(kind === 'run' ? `run/bad-${i}` : `checkpoint/good/000000000${i + 2}`, record, raw);
          expect((await store.list()).map(({ id }) => id)).toEqual(['good']);
          expect((await store.load('good'))?.content).toEqual(new Float32Array(2));
          await store.thin();
          await store.tidy(Infinity);
          expect((await store.load('good'))?.content).toEqual(new Float32Array(2));
        },
      ),
      { numRuns: depth(30, 300) },
    );
  });
});

type Act = {
  readonly what: 'save' | 'note' | 'rename' | 'remove' | 'restore' | 'erase' | 'tidy' | 'thin';
  readonly id: string;
  readonly cut: boolean;
};

describe('whatever is done to runs', () => {
  const act: fc.Arbitrary<Act> = fc.record({
    what: fc.constantFrom('save', 'save', 'note', 'rename', 'remove', 'restore', 'erase', 'tidy', 'thin'),
    id: fc.constantFrom('a', 'b'),
    cut: fc.boolean(),
  });

  it('each act is there whole or, cut off, not at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 14 }), async (acts) => {
        const { store, raw } = fresh();
        let step = 0;
        const model = new Map<string, { steps: number[]; name: string; removed: boolean }>();
        for (const { what, id, cut } of acts) {
          step++;
          const run = model.get(id);
          const does: Record<Act['what'], () => Promise<unknown>> = {
            save: () => store.save(basis(id, step), new Float32Array([step, 0])),
            note: () => store.note({ ...basis(id, step), state: 'failed' }),
            rename: () => store.rename(id, `name ${step}`),
            remove: () => store.setRemoved(id, step),
            restore: () => store.setRemoved(id, null),
            erase: () => store.remove(id),
            tidy: () => store.tidy(Infinity),
            thin: () => store.thin(),
          };
          const before = await entries(raw);
          // The tab dies at the first write.
          const writes = (['put', 'delete'] as const).map((method) =>
            vi.spyOn(IDBObjectStore.prototype, method),
          );
          if (cut)
            for (const spy of writes)
              spy.mockImplementation(function (this: IDBObjectStore): never {
                this.transaction.abort();
                throw new DOMException('cut', 'AbortError');
              });
          let failed = false;
          try {
            await does[what]();
          } catch {
            failed = true;
          } finally {
            for (const spy of writes) spy.mockRestore();
          }
          if (failed) {
            expect(cut).toBe(true);
            expect(await entries(raw)).toEqual(before);
            continue;
          }
          const { steps = [], name = '', removed = false } = run ?? {};
          if (what === 'save') {
            const all = (await store.steps(id)).map((each) => each.step).reverse();
            // Which earlier ones stay is `spacing.test.ts`'s.
            expect(all.slice(-NEWEST)).toEqual([...steps, step].slice(-NEWEST));
            expect(all).toHaveLength(Math.min(steps.length + 1, NEWEST + EARLIER));
            expect([...steps, step]).toEqual(expect.arrayContaining(all));
            model.set(id, { steps: all, name, removed });
          }
          if (what === 'note') model.set(id, { steps, name, removed });
          if (what === 'rename' && run) model.set(id, { ...run, name: `name ${step}` });
          if (what === 'remove' && run) model.set(id, { ...run, removed: true });
          if (what === 'restore' && run) model.set(id, { ...run, removed: false });
          if (what === 'erase') model.delete(id);
          if (what === 'tidy') for (const [key, { removed: gone }] of model) if (gone) model.delete(key);
          if (what === 'thin')
            for (const [key, r] of model) model.set(key, { ...r, steps: r.steps.slice(-1) });
        }
        const listed = await store.list();
        expect(listed.map(({ id }) => id).sort()).toEqual(
          [...model]
            .filter(([, { removed }]) => !removed)
            .map(([id]) => id)
            .sort(),
        );
        for (const [id, { steps, name }] of model) {
          const found = await store.find(id);
          expect(found).toMatchObject({ checkpoints: steps.length, name: name || 'Write text: words' });
          expect((await store.load(id))?.content[0]).toBe(steps.at(-1));
        }
        const all = [...model.values()].reduce((n, { steps }) => n + 8 * steps.length, 0);
        expect(await store.bytes()).toBe(all);
        expect(await entries(raw)).toHaveLength(model.size + all / 8);
      }),
      { numRuns: depth(60, 600) },
    );
  });
});

describe('staged runs', () => {
  it('are not listed until they are adopted, all or none, and go with a tidy', async () => {
    const { store } = fresh();
    await store.staging.put(basis('a', 1), new Float32Array(2));
    await store.staging.put(basis('b', 2), new Float32Array(2));
    expect(await store.list()).toEqual([]);
    const adopted = (id: string) => ({ header: basis(id, 1), name: undefined, bytes: 8 });
    await expect(store.staging.adopt([adopted('a'), adopted('c')])).rejects.toMatchObject({
      name: 'StoreError',
    });
    expect(await store.list()).toEqual([]);
    await store.staging.adopt([adopted('a')]);
    await store.staging.drop(['a', 'b']);
    expect((await store.list()).map(({ id }) => id)).toEqual(['a']);
    expect((await store.load('a'))?.content).toEqual(new Float32Array(2));
    await expect(store.staging.adopt([adopted('a')])).rejects.toMatchObject({ name: 'StoreError' });
    await store.staging.put(basis('d', 1), new Float32Array(2));
    await store.tidy();
    expect(await store.load('d')).toBeNull();
  });
});
