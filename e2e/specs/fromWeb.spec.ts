/** @file A model from another origin: asked first, broken off, gone on with after a reload, opened offline, removed. */
import { readFileSync } from 'node:fs';
import { violations } from '../pages/axe.ts';
import { expect, test } from '../pages/test.ts';
import { serve, type Served } from '../../workers/download/testing/server.ts';

const zoo = (path: string): Uint8Array => readFileSync(`e2e/golden/zoo/${path}`);
let server: Served;

test.beforeEach(async ({ rotune, policy }) => {
  server = await serve({
    '/models/model.onnx': zoo('llama-dyn20/model.onnx'),
    '/models/model.onnx.data': zoo('llama-dyn20/model.onnx.data'),
  });
  policy.allow(server.url);
  await rotune.open();
});
test.afterEach(() => server.close());

test('a model with its weights comes from an address, in two tries', async ({ page, rotune }) => {
  await rotune.fromWeb.click();
  const web = page.getByRole('region', { name: 'Or from the web' });
  await web.getByLabel(/^Address/).fill(`${server.url}models/model.onnx`);
  await web.getByRole('button', { name: 'See what is there' }).click();
  await expect(web.getByRole('list', { name: 'Files' }).getByRole('listitem')).toHaveCount(2);
  await expect(web.getByText(/will\s+come\s+from\s+127\.0\.0\.1:\d+\s+and\s+stay/)).toBeVisible();
  expect(server.requests.every(({ range, method }) => method === 'OPTIONS' || range === 'bytes=0-0')).toBe(
    true,
  );
  expect(await violations(page)).toEqual([]);

  const weights = zoo('llama-dyn20/model.onnx.data').byteLength;
  server.manners.breakAfter = { bytes: Math.floor(weights / 8), times: 5 };
  await web.getByRole('button', { name: /^Download/ }).click();
  await expect(web.getByRole('alert')).toContainText(/broke off after \d+ of \d+ bytes/);
  await expect(web.getByRole('button', { name: /^Go on downloading/ })).toBeVisible();

  server.manners.breakAfter = null;
  // The address names the view.
  await page.reload();
  await web.getByRole('button', { name: 'Go on with model.onnx' }).click();
  await web.getByRole('button', { name: /^Go on downloading/ }).click();
  await expect(page.getByText(/This model can be trained: \d+ layers can turn\./).first()).toBeVisible();
  expect(server.requests.some(({ range }) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true);

  // It is on this device now: the server is not asked again.
  const asked = server.requests.length;
  // The address names the view.
  await page.reload();
  await web.getByRole('button', { name: 'Open model.onnx' }).click();
  await expect(page.getByText(/This model can be trained/).first()).toBeVisible();
  expect(server.requests).toHaveLength(asked);
  await web.getByRole('button', { name: 'Remove model.onnx' }).click();
  await expect(web.getByRole('heading', { name: 'Downloaded before' })).toBeHidden();
});

test('an address with nothing there says so', async ({ page, rotune, policy }) => {
  await rotune.fromWeb.click();
  const web = page.getByRole('region', { name: 'Or from the web' });
  await web.getByLabel(/^Address/).fill(`${server.url}models/absent.onnx`);
  await web.getByLabel(/^Address/).press('Enter');
  await expect(web.getByRole('alert')).toContainText(/There is no file at .*absent\.onnx/);
  // Taken for a host's name, which is asked, as nobody else is.
  policy.allow('https://model.safetensors');
  await web.getByLabel(/^Address/).fill('model.safetensors');
  await web.getByLabel(/^Address/).press('Enter');
  await expect(web.getByRole('alert')).toContainText(/no web address|not an ONNX model|did not give/);
});
