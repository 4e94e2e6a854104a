/** @file axe on every screen, in light and dark, wide and narrow. */
import { violations } from '../pages/axe.ts';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [390, 1440]) {
    test(`no violations on any screen, ${colorScheme}, ${width} px`, async ({ rotune, page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const found: Record<string, string[]> = {};
      const wide: string[] = [];
      const look = async (screen: string) => {
        found[screen] = await violations(page);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) wide.push(`${screen} by ${overflow} px`);
      };
      await rotune.openJob(smallJob({ steps: 4 }));
      await expect(rotune.trainShared).toBeVisible();
      await look('home');
      await page.getByRole('button', { name: 'Look at it first' }).click();
      const startButton = page.getByRole('button', { name: /^Start/ });
      await expect(startButton).toBeEnabled({ timeout: 60_000 });
      await look('prepare');
      await startButton.click();
      await expect(rotune.pause).toBeEnabled({ timeout: 120_000 });
      await look('train');
      await rotune.resultHeading.waitFor({ timeout: 120_000 });
      await look('result');
      expect(found).toEqual({ home: [], prepare: [], train: [], result: [] });
      expect(wide, 'screens wider than the window').toEqual([]);
    });

    test(`no violations in the inspector, ${colorScheme}, ${width} px`, async ({ rotune, page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await rotune.open();
      await page
        .getByRole('group', { name: 'Open a model folder' })
        .getByLabel('or single files')
        .setInputFiles([
          'e2e/golden/placement/model.onnx',
          'e2e/golden/bad/custom-op.onnx',
          'e2e/golden/bad/truncated.onnx',
        ]);
      for (const [name, ready] of [
        ['model.onnx', page.getByRole('table', { name: /would run on the CPU/ })],
        ['custom-op.onnx', page.getByRole('heading', { name: 'Cannot train' })],
        ['truncated.onnx', page.getByRole('alert')],
      ] as const) {
        await page.getByRole('tab', { name }).click();
        await expect(ready).toBeVisible();
        expect(await violations(page), name).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, `${name} is wider than the window`).toBeLessThanOrEqual(0);
      }
    });
  }
}
