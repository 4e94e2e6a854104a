/** @file The service worker's store: faults of network and cache for every kind of file, updates under living pages, use without a network. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fetchOwn, HASH } from '#src/platform/ownFile.ts';
import { KEEP } from '#src/platform/resumable.ts';
import { FAULTS, type Fault, faultyFetch, KINDS } from '#src/platform/testing/faultyNetwork.ts';
import { sha256 } from '#src/platform/sha256.ts';
import { filesOf, isLarge } from './files.ts';
import { OfflineStore } from './store.ts';
import { MemoryCaches } from './testing/memoryCaches.ts';

const scope = 'https://here/rotune/';
const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);

type Build = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

const first: Build = {
  'index.html': text('<title>Rotune 1</title>'),
  'assets/index-1.js': text('start(1)'),
  'assets/Result-1.js': text('show(1)'),
  'assets/shared.css': text('p {}'),
  'assets/ort-wasm-simd-threaded-1.mjs': KINDS['a module script']!,
  'assets/ort-wasm.wasm-1.gz': KINDS['a WebAssembly module']!,
  'models/waves/model.onnx': KINDS['a model']!,
  'models/waves/files.json': KINDS['a list of files']!,
  'data/waves/files.pack': KINDS['a pack of data']!,
};
const second: Build = {
  'index.html': text('<title>Rotune 2</title>'),
  'assets/index-2.js': text('start(2)'),
  'assets/Result-2.js': text('show(2)'),
  'assets/shared.css': text('p {}'),
  'models/waves/model.onnx': text('another model'),
};

/** A browser with one origin: its caches, its pages, and the host behind it, which serves one build at a time. */
function browser() {
  const caches = new MemoryCaches();
  const clients = new Set<string>();
  let served: Build = first;
  let fault: Fault | 'none' = 'none';
  let times = 0;
  let online = true;
  let net = faultyFetch(() => null, 'none', 0);
  const asked: string[] = [];
  const pathOf = (url: string): string => decodeURIComponent(url.slice(scope.length).replace(/\?.*/, ''));
  const renew = (): void => {
    net = faultyFetch((url) => served[pathOf(url)] ?? null, fault, times);
  };
  renew();
  const fetch: typeof globalThis.fetch = (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push(pathOf(url));
    if (!online) return Promise.reject(new TypeError('offline'));
    if (!(input instanceof Request)) return net.fetch(input, init);
    return net.fetch(url, { headers: input.headers, cache: input.cache, signal: input.signal });
  };
  return {
    caches,
    clients,
    asked,
    serve(build: Build): void {
      served = build;
      renew();
    },
    fail(how: Fault | 'none', count: number): void {
      fault = how;
      times = count;
      renew();
    },
    unplug: () => (online = false),
    async worker(build: Build): Promise<OfflineStore> {
      const files = await Promise.all(
        Object.entries(build).map(async ([url, bytes]) => ({ url, sha256: await sha256(bytes) })),
      );
      return new OfflineStore(
        {
          ...{ scope, fetch },
          caches: caches as unknown as CacheStorage,
          clients: () => Promise.resolve([...clients]),
          patience: { wait: () => Promise.resolve(), silence: 20 },
        },
        files,
      );
    },
  };
}

/** `fetch` of a page under this worker, which waits for what goes on behind the answer. */
function pageFetch(worker: OfflineStore): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const work: Promise<unknown>[] = [];
    if (request.method === 'PUT') return (await worker.keep(request))!;
    const answer = await worker.answer(request, (more) => work.push(more));
    const [seen, rest] = answer!.body ? answer!.body.tee() : [null, null];
    void Promise.all(work);
    void rest?.cancel().catch(() => undefined);
    return new Response(seen, answer!);
  };
}

/** What a browser gets that asks for a script, a style, a page. */
const plainly = async (worker: OfflineStore, path: string): Promise<Uint8Array | number> => {
  const answer = await worker.answer(new Request(new URL(path, scope)), () => undefined);
  if (!answer) return 404;
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : answer.status;
};

/** What the worker realm gets, which names what it wants. */
const wanted = async (worker: OfflineStore, path: string, bytes: Uint8Array): Promise<Uint8Array> => {
  const file = await fetchOwn(
    new URL(path, scope).href,
    { sha256: await sha256(bytes) },
    { fetch: pageFetch(worker), wait: () => Promise.resolve(), silence: 40 },
  );
  return new Uint8Array(await file.arrayBuffer());
};

const large = Object.keys(first).filter(isLarge);
const shell = Object.keys(first).filter((path) => !isLarge(path));

/** Everything that is stored. */
async function stored(caches: MemoryCaches): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const { url } of await cache.keys())
      found.set(url, new Uint8Array(await (await cache.match(url))!.arrayBuffer()));
  }
  return found;
}

describe.each(FAULTS)('%s', (fault) => {
  it.each(large)('of %s heals, and nothing damaged is kept', async (path) => {
    const { caches, fail, unplug, worker } = browser();
    const store = await worker(first);
    fail(fault, 1);
    const file = await wanted(store, path, first[path]!).catch(() => wanted(store, path, first[path]!));
    expect(file).toEqual(first[path]);
    for (const [url, bytes] of await stored(caches))
      expect(await sha256(bytes), url).toBe(new URL(url).searchParams.get('sha256'));
    // After that no network is needed.
    await expect.poll(async () => (await stored(caches)).size).toBe(1);
    unplug();
    expect(await wanted(store, path, first[path]!)).toEqual(first[path]);
  });

  it('at install heals', async () => {
    const { fail, unplug, worker } = browser();
    const store = await worker(first);
    fail(fault, 1);
    await store.install();
    unplug();
    for (const path of shell) expect(await plainly(store, path), path).toEqual(first[path]);
  });
});

describe('what lies damaged in the cache', () => {
  const damages: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>> = {
    'cut off': (bytes) => bytes.slice(0, bytes.length >> 1),
    'a page': () => text('<!doctype html>'),
    'a few bytes changed': (bytes) => bytes.map((b, i) => (i % 97 === 3 ? b ^ 1 : b)),
    empty: () => new Uint8Array(0),
  };
  const cases = Object.keys(damages).flatMap((how) => Object.keys(first).map((path) => ({ how, path })));

  it.each(cases)('$path, $how, is fetched again', async ({ how, path }) => {
    const { caches, unplug, worker } = browser();
    const store = await worker(first);
    await store.install();
    for (const each of large) await wanted(store, each, first[each]!);
    await expect.poll(async () => (await stored(caches)).size).toBe(Object.keys(first).length);
    const cache = await caches.open((await caches.keys())[0]!);
    const key = (await cache.keys()).find(({ url }) => url.includes(`/${path}?`))!;
    await cache.put(key, new Response(damages[how]!(first[path]!)));
    const ask = () => (isLarge(path) ? wanted(store, path, first[path]!) : plainly(store, path));
    expect(await ask()).toEqual(first[path]);
    await expect
      .poll(async () => [...(await stored(caches))].find(([url]) => url === key.url)?.[1])
      .toEqual(first[path]);
    unplug();
    expect(await ask()).toEqual(first[path]);
  });
});

it('asks the host for nothing large before it is wanted, and for nothing twice', async () => {
  const { asked, caches, worker } = browser();
  const store = await worker(first);
  await store.install();
  expect(asked.toSorted()).toEqual(shell.toSorted());
  for (const path of Object.keys(first)) await plainly(store, path);
  for (const path of large) await wanted(store, path, first[path]!);
  await expect.poll(async () => (await stored(caches)).size).toBe(Object.keys(first).length);
  expect(asked.toSorted()).toEqual(Object.keys(first).toSorted());
});

it('passes the rest of a broken file on, and stores the whole only if it is right', async () => {
  const { caches, worker } = browser();
  const store = await worker(first);
  const address = `${scope}models/waves/model.onnx`;
  const headers = { [HASH]: await sha256(first['models/waves/model.onnx']!) };
  const rest = await store.answer(
    new Request(address, { headers: { ...headers, Range: 'bytes=100-' } }),
    () => undefined,
  );
  expect(rest!.status).toBe(206);
  expect(rest!.headers.has(KEEP)).toBe(true);
  const put = (body: string | Uint8Array<ArrayBuffer>) =>
    store.keep(new Request(address, { method: 'PUT', headers, body }));
  expect((await put('something else'))!.status).toBe(422);
  expect((await stored(caches)).size).toBe(0);
  expect((await put(first['models/waves/model.onnx']!))!.status).toBe(201);
  expect(await store.keep(new Request(`${scope}unknown`, { method: 'PUT', body: 'x' }))).toBeNull();
  const part = await store.answer(
    new Request(address, { headers: { ...headers, Range: 'bytes=4990-' } }),
    () => undefined,
  );
  expect(part!.headers.get('content-range')).toBe('bytes 4990-4999/5000');
});

describe('an update', () => {
  it('never takes files from under living pages, whatever the order of visits, updates and departures', async () => {
    const builds = [
      first,
      second,
      { ...first, 'index.html': text('3'), 'assets/index-3.js': text('start(3)') },
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('visit', 'update', 'leave'), { minLength: 1, maxLength: 12 }),
        async (acts) => {
          const { caches, clients, serve, unplug, worker } = browser();
          let serial = 0;
          let build = 0;
          let store = await worker(builds[0]!);
          await store.install();
          await store.activate();
          /** Pages by id, with the build that they were loaded from. */
          const pages = new Map<string, number>();
          for (const act of acts) {
            if (act === 'visit') {
              const id = `page ${serial++}`;
              clients.add(id);
              pages.set(id, build);
              await store.tidy();
            } else if (act === 'leave') {
              const [id] = pages.keys();
              if (id !== undefined) pages.delete(id);
              clients.delete(id ?? '');
            } else if (build + 1 < builds.length) {
              build++;
              serve(builds[build]!);
              store = await worker(builds[build]!);
              await store.install();
              await store.activate();
            }
            for (const of of pages.values())
              for (const path of Object.keys(builds[of]!).filter((each) =>
                /^assets\/(index|Result)/.test(each),
              ))
                expect(await plainly(store, path), `${path} of build ${of}`).toEqual(builds[of]![path]);
          }
          // When all have gone, nothing of the earlier builds is left, and the newest works alone.
          clients.clear();
          await store.tidy();
          const kept = [...(await stored(caches)).keys()].map((url) =>
            new URL(url).pathname.slice('/rotune/'.length),
          );
          const now = Object.keys(builds[build]!);
          expect(kept.filter((path) => !now.includes(path))).toEqual([]);
          unplug();
          for (const path of now.filter((each) => !isLarge(each)))
            expect(await plainly(store, path)).toEqual(builds[build]![path]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('leaves the model of a run that goes on what it was', async () => {
    const { caches, clients, serve, worker } = browser();
    const old = await worker(first);
    await old.install();
    clients.add('training');
    const path = 'models/waves/model.onnx';
    await wanted(old, path, first[path]!);
    await expect.poll(async () => (await stored(caches)).size).toBe(shell.length + 1);
    serve(second);
    const store = await worker(second);
    await store.install();
    await store.activate();
    expect(await wanted(store, path, first[path]!)).toEqual(first[path]);
    expect(await wanted(store, path, second[path]!)).toEqual(second[path]);
  });

  it('spares what a newer build has stored already when an old page leaves', async () => {
    const { clients, serve, unplug, worker } = browser();
    const one = await worker(first);
    await one.install();
    await one.activate();
    clients.add('old page');
    serve(second);
    const two = await worker(second);
    await two.install();
    await two.activate();
    const third: Build = { ...second, 'assets/index-3.js': text('start(3)') };
    serve(third);
    const three = await worker(third);
    await three.install();
    clients.clear();
    await two.tidy();
    unplug();
    await three.activate();
    expect(await plainly(three, 'assets/index-3.js')).toEqual(third['assets/index-3.js']);
  });

  it('fetches nothing that did not change, and removes what was stored by other rules', async () => {
    const { asked, caches, serve, worker } = browser();
    const one = await worker(first);
    await one.install();
    await (await caches.open('rotune-files')).put(`${scope}models/x?revision=1`, new Response('x'));
    const former = await caches.open(`workbox-precache-v2-${scope}`);
    await former.put(`${scope}assets/former-0.js`, new Response('former'));
    await caches.open('of another app');
    serve(second);
    asked.length = 0;
    const two = await worker(second);
    await two.install();
    expect(asked.toSorted()).toEqual(['assets/Result-2.js', 'assets/index-2.js', 'index.html']);
    expect(await plainly(two, 'assets/former-0.js')).toEqual(text('former'));
    await two.activate();
    expect(await caches.keys()).toEqual([`rotune ${scope}`, 'of another app']);
  });
});

it('says what is not there, and leaves alone what is not ours', async () => {
  const { worker } = browser();
  const store = await worker(first);
  expect(await store.answer(new Request('https://here/other/index.html'), () => undefined)).toBeNull();
  expect(await plainly(store, 'assets/never.js')).toBe(404);
  expect(filesOf(['x', { url: 'a', revision: null }, { url: 'b', revision: 'md5' }])).toEqual([]);
});
