/** @file After one visit and one run, the network is not needed any more; without the host's headers the page isolates itself. */
import { serve } from '../../scripts/serve.mjs';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import { RotunePage, SMALL_LAYERS, smallJob } from '../pages/rotunePage.ts';
import { shortExamples } from '../pages/shortExamples.ts';
import { expect, test } from '../pages/test.ts';

test.use({ serviceWorkers: 'allow' });

test('the examples of all other tasks work with the network off after one run', async ({
  rotune,
  page,
  context,
}) => {
  const train = async (seed: number) => {
    for (const { task, job } of shortExamples(seed))
      await test.step(task, async () => {
        const outcome = await page.evaluate(
          (given) => globalThis.rotune!.run({ job: given, backend: 'wasm' }),
          job,
        );
        expect(outcome).toMatchObject({ ok: true, value: { outcome: 'finished' } });
        await expect(rotune.saveAdapter).toBeEnabled();
      });
  };
  await rotune.open();
  await train(0);
  await context.setOffline(true);
  await page.goto('about:blank');
  await rotune.open();
  await train(1);
});

test('after one run the same works with the network off', async ({ rotune, page, context }) => {
  await rotune.trainFromLink(smallJob());
  await context.setOffline(true);
  await rotune.open();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await rotune.openJob(smallJob({ seed: 1 }));
  await rotune.trainShared.click();
  await rotune.resultHeading.waitFor({ timeout: 120_000 });
  expect(readSafetensors(await rotune.adapter()).tensors.size).toBe(2 * SMALL_LAYERS);
});

test('on a host that sends no headers one reload makes the page cross-origin isolated', async ({ page }) => {
  const host = await serve({ isolated: false });
  try {
    // The page reloads by itself, once, as long as nothing was touched.
    await page.goto(host.origin);
    await expect.poll(() => page.evaluate(() => crossOriginIsolated).catch(() => null)).toBe(true);
    await expect(new RotunePage(page).demoButton).toBeVisible();
  } finally {
    await host.close();
  }
});
