/** @file Which backend a page says it will use, whatever the graphics driver does. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { lookForBackend, type Prefer } from './look.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** What is said, however long it takes. */
async function said(prefer: Prefer, requestAdapter: () => Promise<unknown>) {
  vi.stubGlobal('navigator', { gpu: { requestAdapter }, hardwareConcurrency: 2 });
  const look = lookForBackend(prefer).catch((cause: unknown) => cause as Error);
  await vi.advanceTimersByTimeAsync(60_000);
  return look;
}
const silence = () => new Promise(() => undefined);

it('a driver that never answers is not waited for for ever', async () => {
  expect(await said('auto', silence)).toMatchObject({
    kind: 'wasm',
    reason: expect.stringMatching(/graphics driver does not answer/) as unknown,
  });
  expect(await said('wasm', silence)).toMatchObject({ kind: 'wasm' });
  expect(await said('webgpu', silence)).toMatchObject({
    message: expect.stringMatching(/driver does not answer.*Choose/s) as unknown,
  });
});

it('one that answers is believed', async () => {
  expect(await said('auto', () => Promise.resolve(null))).toMatchObject({ kind: 'wasm' });
  const info = { description: 'a card', vendor: '', architecture: '', device: '', isFallbackAdapter: false };
  expect(await said('auto', () => Promise.resolve({ info }))).toMatchObject({
    kind: 'webgpu',
    adapter: 'a card',
  });
});
