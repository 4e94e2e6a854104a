/** @file axe on every screen, in light and dark, wide and narrow: one visit shows all of them. */
import type { Page } from '@playwright/test';
import { violations } from '../pages/axe.ts';
import { depth } from '../pages/depth.ts';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

/** Of every state of every view there are six in src/ui/testing/looks.svelte.test.ts; here the built page is looked at. */
const LOOKS = depth(
  [
    { width: 390, colorScheme: 'dark' },
    { width: 1440, colorScheme: 'light' },
  ] as const,
  (['light', 'dark'] as const).flatMap((colorScheme) =>
    [390, 820, 1440].map((width) => ({ colorScheme, width })),
  ),
);

/** What is wrong with the screen as it stands, in any light and at any width; nothing: []. */
async function wrongs(page: Page, screen: string): Promise<string[]> {
  const found: string[] = [];
  for (const { colorScheme, width } of LOOKS) {
    // A colour on its way from one scheme to the other is of neither.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 900 });
    const where = `${screen}, ${colorScheme}, ${width} px`;
    found.push(...(await violations(page)).map((violation) => `${where}: ${violation}`));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (overflow > 0) found.push(`${where}: wider than the window by ${overflow} px`);
  }
  return found;
}

test('no violations on any screen', async ({ rotune, page }) => {
  // More steps than the looks take: the run is stopped when they are done.
  await rotune.openJob(smallJob({ steps: 500 }));
  await expect(rotune.trainShared).toBeVisible();
  expect(await wrongs(page, 'home')).toEqual([]);
  await rotune.lookAtShared.click();
  const startButton = page.getByRole('button', { name: /^Start/ });
  await expect(startButton).toBeEnabled({ timeout: 60_000 });
  expect(await wrongs(page, 'new')).toEqual([]);
  await rotune.advanced.click();
  expect(await wrongs(page, 'new, all settings')).toEqual([]);
  await startButton.click();
  await expect(rotune.pause).toBeEnabled({ timeout: 120_000 });
  expect(await wrongs(page, 'train')).toEqual([]);
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await rotune.resultHeading.waitFor({ timeout: 120_000 });
  expect(await wrongs(page, 'result')).toEqual([]);
});

test('no violations in the inspector', async ({ rotune, page }) => {
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
    expect(await wrongs(page, name)).toEqual([]);
  }
});
