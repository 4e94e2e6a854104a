import { afterEach, expect, it, vi } from 'vitest';
import { thumbnail } from './thumbnails.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const { signal } = new AbortController();

it('decodes two at once, and the next when one is done', async () => {
  const settle: ((picture: object) => void)[] = [];
  vi.stubGlobal('createImageBitmap', () => new Promise((resolve) => settle.push(resolve)));
  const all = Array.from({ length: 3 }, () => thumbnail(new Blob(), signal));
  await vi.waitFor(() => expect(settle).toHaveLength(2));
  const picture = {};
  settle[0]!(picture);
  expect(await all[0]).toBe(picture);
  await vi.waitFor(() => expect(settle).toHaveLength(3));
  for (const each of settle) each({});
  await Promise.all(all);
});

it('goes on where the browser never answers', async () => {
  vi.useFakeTimers();
  let asked = 0;
  vi.stubGlobal('createImageBitmap', () => {
    asked++;
    return asked <= 2 ? new Promise(() => undefined) : Promise.resolve({});
  });
  void thumbnail(new Blob(), signal);
  void thumbnail(new Blob(), signal);
  const third = thumbnail(new Blob(), signal);
  await vi.advanceTimersByTimeAsync(6000);
  expect(await third).toEqual({});
});

it('has none of what cannot be decoded, or was given up', async () => {
  vi.stubGlobal('createImageBitmap', () => Promise.reject(new Error('no picture')));
  expect(await thumbnail(new Blob(), signal)).toBeNull();
  const given = new AbortController();
  given.abort();
  expect(await thumbnail(new Blob(), given.signal)).toBeNull();
});
