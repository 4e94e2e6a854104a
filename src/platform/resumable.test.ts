/** @file Whole files over connections that break, are silent, lie or are cancelled. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FetchError, fetchWhole, KEEP } from './resumable.ts';

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
let serial = 0;

interface Manners {
  /** Bytes after which each answer breaks off, in turn; the rest are whole. */
  readonly breaks?: readonly number[];
  readonly ranges?: boolean;
  readonly status?: number;
}

/** A host as `fetch`. */
function host({ breaks = [], ranges = true, status = 200 }: Manners, tags: readonly string[] = ['"1"']) {
  const asked: (string | null)[] = [];
  const fetch = (_: unknown, init: RequestInit = {}): Promise<Response> => {
    const turn = asked.length;
    const range = new Headers(init.headers).get('range');
    asked.push(range);
    if (status !== 200) return Promise.resolve(new Response(null, { status }));
    const from = ranges && range ? Number(/(\d+)/.exec(range)![1]) : 0;
    const end = turn < breaks.length ? Math.min(content.length, from + breaks[turn]!) : content.length;
    let sent = from;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent < end) {
          controller.enqueue(content.slice(sent, Math.min(end, sent + 64)));
          sent = Math.min(end, sent + 64);
        } else if (end < content.length) controller.error(new TypeError('network error'));
        else controller.close();
      },
    });
    const headers = new Headers({
      etag: tags[Math.min(turn, tags.length - 1)]!,
      'content-length': `${content.length - from}`,
    });
    if (from > 0) headers.set('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
    return Promise.resolve(new Response(body, { status: from > 0 ? 206 : 200, headers }));
  };
  return { fetch: fetch as typeof globalThis.fetch, asked, wait: () => Promise.resolve() };
}

const bytes = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());
const address = (): string => `https://here/${serial++}`;

it('joins what came before and after any breaks, and says how far it is', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 4 }),
      fc.boolean(),
      async (breaks, ranges) => {
        const { fetch, asked, wait } = host({ breaks, ranges });
        const told: number[] = [];
        const blob = await fetchWhole(address(), { fetch, wait, onBytes: (done) => told.push(done) });
        expect(await bytes(blob)).toEqual(content);
        expect(told.at(-1)).toBe(content.length);
        // What came is not asked for again.
        if (ranges && breaks[0]! > 0 && breaks[0]! < content.length)
          expect(asked[1]).toMatch(/^bytes=[1-9]\d*-$/);
      },
    ),
    { numRuns: 60 },
  );
});

it('begins anew where the content became another', async () => {
  const { fetch, asked, wait } = host({ breaks: [300] }, ['"1"', '"2"']);
  expect(await bytes(await fetchWhole(address(), { fetch, wait }))).toEqual(content);
  expect(asked).toEqual([null, 'bytes=300-', null]);
});

it('goes on after a cancel from where it was', async () => {
  const at = address();
  const { fetch, asked, wait } = host({});
  const cancelling = new AbortController();
  const first = fetchWhole(at, {
    fetch,
    wait,
    signal: cancelling.signal,
    onBytes: (done) => done >= 256 && cancelling.abort(new Error('enough')),
  });
  await expect(first).rejects.toThrow('enough');
  expect(await bytes(await fetchWhole(at, { fetch, wait }))).toEqual(content);
  expect(asked[1]).toMatch(/^bytes=(256|320)-$/);
});

it('gives up where nothing comes, and where the host refuses at once', async () => {
  const dead = host({ breaks: Array.from({ length: 20 }, () => 0) });
  await expect(fetchWhole(address(), dead)).rejects.toThrow(FetchError);
  expect(dead.asked).toHaveLength(3);
  const dying = host({ breaks: [100, ...Array.from({ length: 20 }, () => 0)] });
  await expect(fetchWhole(address(), dying)).rejects.toThrow(FetchError);
  expect(dying.asked).toHaveLength(7);
  const refusing = host({ status: 404 });
  await expect(fetchWhole(address(), refusing)).rejects.toMatchObject({ status: 404 });
  expect(refusing.asked).toHaveLength(1);
});

it('tries a silent line again', async () => {
  const { fetch, wait } = host({});
  let silent = true;
  const sometimes: typeof globalThis.fetch = (url, init) => {
    if (!silent) return fetch(url, init);
    silent = false;
    return new Promise(() => undefined);
  };
  expect(await bytes(await fetchWhole(address(), { fetch: sometimes, wait, silence: 20 }))).toEqual(content);
});

it('hands a file that came in pieces to the service worker that offers to keep it', async () => {
  const { fetch, wait } = host({ breaks: [300] });
  const kept: number[] = [];
  const worker: typeof globalThis.fetch = async (url, init) => {
    if (init?.method === 'PUT') {
      kept.push((init.body as Blob).size);
      return new Response(null, { status: 201 });
    }
    const answer = await fetch(url, init);
    if (answer.status === 206) answer.headers.set(KEEP, '1');
    return answer;
  };
  await fetchWhole(address(), { fetch: worker, wait });
  expect(kept).toEqual([content.length]);
  await fetchWhole(address(), { fetch: host({}).fetch, wait });
  expect(kept).toHaveLength(1);
});
