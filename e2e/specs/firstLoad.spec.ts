/** @file What a first visit costs before anything is asked for. */
import { gzipSync } from 'node:zlib';
import { expect, test } from '../pages/test.ts';

test('the first screen takes at most 100 KB of JavaScript, gzipped, and no runtime or model', async ({
  rotune,
  page,
}) => {
  const asked = new Set<string>();
  page.on('request', (request) => asked.add(request.url()));
  await rotune.open();
  await expect(rotune.demoButton).toContainText('on ');
  await page.waitForLoadState('networkidle');
  const scripts = [...asked].filter((url) => /\.m?js$/.test(new URL(url).pathname));
  const large = [...asked].filter((url) => /\.(wasm|onnx|data)$/.test(new URL(url).pathname));
  let total = 0;
  for (const url of scripts) {
    const size = gzipSync(await (await page.request.get(url)).body()).length;
    total += size;
    test.info().annotations.push({ type: 'gzip', description: `${new URL(url).pathname} ${size}` });
  }
  test.info().annotations.push({ type: 'gzip total', description: String(total) });
  expect(scripts.length).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(100_000);
  expect(large).toEqual([]);
});
