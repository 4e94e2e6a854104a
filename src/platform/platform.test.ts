/** @file What secure pages have and others lack, held to the same answers. */
import fc from 'fast-check';
import { createHash, webcrypto } from 'node:crypto';
import { expect, test } from 'vitest';
import { randomId } from './id.ts';
import { mendLanguage } from './language.ts';
import { sha256 } from './sha256.ts';
import { takenThreads, type ThreadRealm, threadsOf } from './threads.ts';

test('without randomUUID ids have the same form, and differ', () => {
  const source = {
    getRandomValues: webcrypto.getRandomValues.bind(webcrypto) as Crypto['getRandomValues'],
  };
  const ids = Array.from({ length: 200 }, () => randomId(source));
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(200);
  expect(randomId()).toMatch(/^[0-9a-f-]{36}$/);
});

test('SHA-256 is the same with and without the browser’s own', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      const expected = createHash('sha256').update(bytes).digest('hex');
      expect(await sha256(bytes)).toBe(expected);
      expect(await sha256(bytes, null)).toBe(expected);
    }),
    { numRuns: 50 },
  );
});

test('whatever the language is, Intl takes it afterwards; a good one stays', () => {
  const tags = fc.oneof(
    fc.constantFrom(
      'C',
      'POSIX',
      'c',
      '',
      'en_US',
      'de-DE',
      'C.UTF-8',
      'x',
      '*',
      'zh-Hans-CN',
      'en-US@posix',
    ),
    fc.string({ maxLength: 6 }),
  );
  fc.assert(
    fc.property(
      fc.option(tags, { nil: undefined }),
      fc.array(tags, { maxLength: 3 }),
      (language, languages) => {
        const navigator = { language, languages };
        mendLanguage(navigator);
        expect(() => new Intl.NumberFormat(navigator.language)).not.toThrow();
        expect(navigator.language).toBeTypeOf('string');
      },
    ),
  );
  const kept = { language: 'de-DE', languages: [] };
  mendLanguage(kept);
  expect(kept.language).toBe('de-DE');
  const next = { language: 'C', languages: ['en_US', 'pt-BR'] };
  mendLanguage(next);
  expect(next.language).toBe('pt-BR');
});

const SAFARI =
  'Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';
const whole: ThreadRealm = {
  isSecureContext: true,
  crossOriginIsolated: true,
  SharedArrayBuffer,
  navigator: { hardwareConcurrency: 8 },
};

test.each<[string, Partial<ThreadRealm>, number, RegExp | null]>([
  ['an isolated page', {}, 4, null],
  ['two cores', { navigator: { hardwareConcurrency: 2 } }, 2, null],
  ['Safari, which says 4 of 2', { navigator: { hardwareConcurrency: 4, userAgent: SAFARI } }, 2, null],
  ['Safari with more cores', { navigator: { hardwareConcurrency: 8, userAgent: SAFARI } }, 4, null],
  ['Chrome', { navigator: { hardwareConcurrency: 4, userAgent: `${SAFARI} Chrome/156` } }, 4, null],
  ['a browser that does not say how many cores', { navigator: {} }, 1, null],
  ['no shared memory, though isolated', { SharedArrayBuffer: undefined }, 1, /share no memory/],
  ['a host without headers', { crossOriginIsolated: false }, 1, /not isolated/],
  [
    'plain http',
    { isSecureContext: false, crossOriginIsolated: false, SharedArrayBuffer: undefined },
    1,
    /plain http.*https/,
  ],
])('threads of %s', (_name, change, count, because) => {
  const threads = threadsOf({ ...whole, ...change });
  expect(threads.count).toBe(count);
  if (because === null) expect(threads.because).toBeNull();
  else expect(threads.because).toMatch(because);
});

test('as many threads as were asked for, where several can be', () => {
  expect(takenThreads(1, threadsOf(whole))).toBe(1);
  expect(takenThreads(6, threadsOf(whole))).toBe(6);
  expect(takenThreads(null, threadsOf(whole))).toBe(4);
  expect(takenThreads(6, threadsOf({ ...whole, crossOriginIsolated: false }))).toBe(1);
});
