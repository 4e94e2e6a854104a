/** @file Every fault of a network or a cache, for every kind of file: all heal by themselves or by the next try, and nothing damaged is taken. */
import { describe, expect, it } from 'vitest';
import { DamagedError, fetchFailure, fetchOwn, HASH } from './ownFile.ts';
import { FetchError } from './resumable.ts';
import { sha256, sha256OfBlob } from './sha256.ts';
import { FAULTS, type Fault, faultyFetch, KINDS } from './testing/faultyNetwork.ts';

const now = (): Promise<void> => Promise.resolve();
const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());

let serial = 0;
const kinds = Object.entries(KINDS);
const cases = FAULTS.flatMap((fault) => kinds.map(([name, content]) => ({ fault, name, content })));

describe.each([1, 3])('a fault that happens %i times', (times) => {
  it.each(cases)('$fault of $name', async ({ fault, name, content }) => {
    const net = faultyFetch(() => content, fault, times);
    const address = `https://here/${serial++}/${name}`;
    const known = { sha256: await sha256(content) };
    const damaged: string[] = [];
    const options = { fetch: net.fetch, wait: now, silence: 20, onDamaged: () => damaged.push(name) };
    let tries = 0;
    let file: Blob | null = null;
    while (!file && tries++ < 4)
      file = await fetchOwn(address, known, options).catch((cause: unknown) => {
        // What a person reads says what happened, and what to press.
        expect(fetchFailure('The model', cause)).toMatch(/^The model .*\. .*(Try again|Reload)/);
        return null;
      });
    expect(file && (await bytesOf(file))).toEqual(content);
    // A single fault is nobody's business: no button need be pressed.
    if (times === 1) expect(tries).toBe(1);
    expect(tries).toBeLessThanOrEqual(3);
    const wrong: Fault[] = ['HTML', 'empty', 'flipped bit', 'wrong length', 'truncated unsaid'];
    if (wrong.includes(fault)) expect(damaged).not.toEqual([]);
  });
});

it('asks past all caches for what was wrong, and names what it wants', async () => {
  const content = KINDS['a model']!;
  const net = faultyFetch(() => content, 'flipped bit', 1);
  const hash = await sha256(content);
  await fetchOwn('https://here/reload', { sha256: hash }, { fetch: net.fetch, wait: now });
  expect(net.asked.map(({ cache }) => cache)).toEqual(['default', 'reload']);
  expect(net.asked.map(({ headers }) => headers.get(HASH))).toEqual([hash, hash]);
});

it('takes what a host unpacked on the way', async () => {
  const content = KINDS['a model']!;
  const net = faultyFetch(() => content, 'none', 0);
  const known = { sha256: 'that of the packed file', unpacked: await sha256(content) };
  const file = await fetchOwn('https://here/unpacked', known, { fetch: net.fetch, wait: now });
  expect(await bytesOf(file)).toEqual(content);
  expect(net.asked).toHaveLength(1);
});

it('gives up what is wrong twice, and what is not there', async () => {
  const net = faultyFetch(() => KINDS['a model']!, 'HTML', 2);
  const known = { sha256: await sha256(KINDS['a model']!) };
  const options = { fetch: net.fetch, wait: now };
  await expect(fetchOwn('https://here/twice', known, options)).rejects.toThrow(DamagedError);
  const gone: typeof fetch = () => Promise.resolve(new Response('', { status: 404 }));
  const missing = fetchOwn('https://here/gone', known, { fetch: gone, wait: now });
  await expect(missing).rejects.toMatchObject({ status: 404 });
  expect(fetchFailure('It', new FetchError(404, ''))).toMatch(/a newer Rotune may have taken its place/);
});

it('hashes the same at once, piece by piece, and without the browser’s help', async () => {
  const bytes = Uint8Array.from({ length: 200_003 }, (_, i) => (i * 31) % 253);
  const blob = new Blob([bytes]);
  const expected = await sha256(bytes);
  expect(await sha256OfBlob(blob)).toBe(expected);
  expect(await sha256OfBlob(blob, crypto.subtle, 1000)).toBe(expected);
  expect(await sha256OfBlob(blob, null)).toBe(expected);
});
