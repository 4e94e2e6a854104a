/** @file What has an address is there after a reload of the tab: a model of one's own that is looked into, and an adapter that is tried. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

test('a model of one’s own that is looked into is there after a reload', async ({ rotune, page }) => {
  const folder = 'public/models/shapes';
  await rotune.open('#/model');
  await page.getByLabel('or single files').setInputFiles(
    readdirSync(folder)
      .filter((name) => name.endsWith('.onnx'))
      .map((name) => ({
        name: 'mine.onnx',
        mimeType: 'application/octet-stream',
        buffer: readFileSync(join(folder, name)),
      })),
  );
  const heading = page.getByRole('heading', { name: 'mine.onnx', level: 1 });
  const proposed = page.getByRole('button', { name: /^Train it/ }).first();
  await expect(heading).toBeVisible();
  await expect(proposed).toBeVisible({ timeout: 60_000 });
  await page.reload();
  await expect(heading).toBeVisible();
  await expect(proposed).toBeVisible({ timeout: 60_000 });
});

test('an adapter that is tried is there after a reload', async ({ rotune, page }) => {
  test.setTimeout(300_000);
  await rotune.open();
  const trained = await page.evaluate(
    async (job) => {
      const outcome = await globalThis.rotune!.run({ job, backend: 'wasm' });
      const file = outcome.ok ? await globalThis.rotune!.export() : null;
      return file?.ok ? [...file.value.bytes] : null;
    },
    smallJob({ steps: 2 }),
  );
  expect(trained).not.toBeNull();
  await page.getByRole('link', { name: 'Rotune' }).click();
  await page
    .getByRole('group', { name: 'Try an adapter folder' })
    .getByLabel('or a single file')
    .setInputFiles({
      name: 'style.safetensors',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(trained!),
    });
  const heading = page.getByRole('heading', { level: 1 }).filter({ hasText: 'style.safetensors' });
  await expect(heading).toBeVisible({ timeout: 60_000 });
  expect(page.url()).toMatch(/#\/result$/);
  await page.reload();
  await expect(heading).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('heading', { name: 'Draw', exact: true })).toBeVisible({ timeout: 60_000 });
});
