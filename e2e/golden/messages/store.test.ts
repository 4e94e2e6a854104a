/** @file What the browser's storage holds and takes: damaged records, of other versions, no room, no leave. */
import 'fake-indexeddb/auto';
import { createStore, entries, set } from 'idb-keyval';
import { beforeAll, describe, expect, it } from 'vitest';
import { uniform } from '#src/ops/testing/random.ts';
import { StoreError, storeError } from '#src/store/errors.ts';
import { RunStore, type RunHeader } from '#src/store/runs.ts';
import { parseSaved, parseStoredJob, type Saved } from '#workers/trainer/saved.ts';
import { Lab, tinyJob, tinyRequest, value } from '#workers/trainer/testing/sessions.ts';
import { expectRefusal, refusesLater } from './drive.ts';
import { spoiled } from '../../fuzz/parts/spoil.ts';

let saved: Saved;
let header: RunHeader;
beforeAll(async () => {
  const lab = new Lab('messages');
  const train = { ...tinyJob.train, steps: 1 };
  const { id } = value(await lab.newSession().start(tinyRequest({ train }), () => undefined));
  const found = (await lab.runs().load(id))!;
  [saved, header] = [found.content, found.header];
});

const storeIn = (database: string): RunStore<Saved> =>
  new RunStore<Saved>({ content: parseSaved, job: parseStoredJob }, database);

describe('saved runs', () => {
  it('with a part of their records exchanged', async () => {
    const random = uniform(4);
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      const database = `messages-${i}`;
      const store = storeIn(database);
      await store.save(header, saved);
      const raw = createStore(database, 'runs');
      for (const [key, record] of await entries<string, unknown>(raw))
        if (key.startsWith('checkpoint/') || random() < 0.3) await set(key, spoiled(record, random), raw);
      await refusesLater(() => store.list(), `list, ${i}`);
      const found: (Saved | undefined)[] = [];
      if (await refusesLater(async () => found.push((await store.load(header.id))?.content), `load, ${i}`))
        refused++;
      // What is trained on is as it was.
      else expect(found[0]?.checkpoint.state['theta']).toEqual(saved.checkpoint.state['theta']);
    }
    expect(refused).toBeGreaterThan(15);
  });

  it('of a newer version', async () => {
    const store = storeIn('messages-newer');
    await store.save(header, saved);
    const raw = createStore('messages-newer', 'runs');
    for (const [key, record] of await entries<string, object>(raw))
      await set(key, { ...record, version: 2 }, raw);
    expect(await refusesLater(() => store.load(header.id), 'newer')).toBe(true);
  });
});

describe('storage', () => {
  it.each(['QuotaExceededError', 'SecurityError', 'InvalidStateError', 'UnknownError', 'AbortError'])(
    'fails with %s',
    (name) => {
      for (const others of [0, 5e6]) {
        const error = storeError(new DOMException('The engine says something.', name), 1e6, others);
        expect(error).toBeInstanceOf(StoreError);
        expectRefusal(error, name);
      }
    },
  );
});
