/** @file What a first visit costs before anything is asked for. */
import { gzipSync } from 'node:zlib';
import { expect, test } from '../pages/test.ts';

test('the first screen takes at most 150 KB of JavaScript, gzipped, and no runtime or model', async ({
  rotune,
  page,
}) => {
  const scripts = new Map<string, number>();
  const large: string[] = [];
  const pending: Promise<void>[] = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (/\.(wasm|onnx|data)$/.test(pathname)) large.push(pathname);
    // The shell stored for offline use comes through the service worker later, and is not waited for.
    if (/\.m?js$/.test(pathname) && !response.request().serviceWorker()) {
      pending.push(response.body().then((body) => void scripts.set(pathname, gzipSync(body).length)));
    }
  });
  await rotune.open();
  await expect(rotune.demoButton).toBeEnabled();
  await Promise.all(pending);
  const total = [...scripts.values()].reduce((sum, bytes) => sum + bytes, 0);
  test.info().annotations.push({ type: 'gzip bytes', description: String(total) });
  expect(scripts.size).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(150_000);
  expect(large).toEqual([]);
});
