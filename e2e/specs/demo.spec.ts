/** @file From a cold start to a saved adapter. keyboard.spec.ts goes without a pointer. */
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

test.use({ serviceWorkers: 'allow' });

test('one click trains the built-in job; stopping keeps what was learned', async ({ rotune, page }) => {
  await rotune.open();
  await rotune.demoButton.click();
  // Between the first step and the second the untouched model is drawn and judged; who stops in that wants nothing more of it.
  await expect(page.getByText(/^Step ([2-9]|\d\d)/).first()).toBeVisible({ timeout: 120_000 });
  // The script that holds nothing (workers/trainer.worker.ts says why), not the code beside it.
  const scripts = page.workers().map((worker) => worker.url().replace(/.*\//, ''));
  const own = scripts.filter((name) => !name.startsWith('ort-'));
  expect(own).toEqual([expect.stringMatching(/^trainer\.worker-/)]);
  await expect(page).toHaveTitle(/% · Rotune/);
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  // What was learned is drawn and judged once more, unless one has seen enough.
  await page.getByRole('button', { name: 'Finish without this' }).click();
  await rotune.resultHeading.waitFor({ timeout: 120_000 });
  const { tensors } = readSafetensors(await rotune.adapter());
  expect(tensors.size).toBe(2 * 133);
});

test('a short job ends on the result: an adapter that holds every layer, and draws anew at another strength', async ({
  rotune,
  page,
}) => {
  await rotune.trainFromLink(smallJob({ allLayers: true }));
  const { tensors } = readSafetensors(await rotune.adapter());
  const blocks = [...tensors].filter(([name]) => name.endsWith('.oft_blocks'));
  expect(blocks).toHaveLength(133);
  expect(blocks.filter(([, { data }]) => (data as Float32Array).some((x) => x !== 0))).toHaveLength(132);
  await expect(page.getByText(/holds 13\d of 13\d layers/)).toBeVisible();

  const tuned = page.getByRole('img', { name: /, tuned$/ }).first();
  const pixels = () => tuned.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  await expect(tuned).toBeVisible();
  const full = await pixels();
  await page.getByRole('slider', { name: 'Strength' }).fill('0');
  await expect.poll(pixels).not.toBe(full);
  await page.getByLabel('What to draw').fill('wolf');
  await page.getByRole('button', { name: 'Draw it' }).click();
  await expect(page.getByRole('img', { name: 'wolf, tuned' })).toBeVisible();
});
