/** @file The plan editor: rules, the preflight table, the badge, and what stops a run. */
import { expect, test } from '../pages/test.ts';
import { smallJob } from '../pages/rotunePage.ts';

test.beforeEach(async ({ rotune, page }) => {
  await rotune.openJob(smallJob({ steps: 2, allLayers: true }));
  await rotune.lookAtShared.click();
  await rotune.advanced.click();
  await expect(page.getByRole('grid', { name: 'Layers' })).toBeVisible({ timeout: 60_000 });
});

test('only the rows in sight are in the page, and the keys walk through all of them', async ({ page }) => {
  const grid = page.getByRole('grid', { name: 'Layers' });
  await expect(grid).toHaveAttribute('aria-rowcount', '134');
  expect(await grid.getByRole('row').count()).toBeLessThan(60);
  await grid.focus();
  await page.keyboard.press('End');
  await expect(grid.getByRole('row', { selected: true })).toContainText('conv_out');
  await page.keyboard.press('Home');
  await expect(grid.getByRole('row', { selected: true })).toContainText('time_embedding.linear_1');
  const stored = grid.getByRole('columnheader', { name: /^Stored/ });
  await stored.getByRole('button').click();
  await stored.getByRole('button').click();
  await expect(stored).toHaveAttribute('aria-sort', 'descending');
  await expect(grid.getByRole('row').nth(1)).toContainText('ff.net.0.proj');
});

test('blocks that do not divide stop the run, and the cure starts it again', async ({ page }) => {
  const start = page.getByRole('button', { name: /^Start/ });
  await expect(start).toBeEnabled();
  await page.getByText('size', { exact: true }).click();
  const size = page.getByRole('spinbutton', { name: 'Block size' });
  await size.fill('7');
  await size.blur();
  await expect(start).toBeDisabled();
  await expect(page.getByText(/7.*do(es)? not divide|not divide/).first()).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(start).toBeEnabled();
});

test('the badge says why a tool does not load it, and its button changes that', async ({ page }) => {
  const peft = page.getByRole('button', { name: /^PEFT\W+does not load/ });
  await peft.click();
  await expect(page.getByText(/It rotates what comes into layers/)).toBeVisible();
  await page.getByRole('button', { name: /Turn inputs/ }).click();
  await expect(page.getByRole('button', { name: /^PEFT\W+loads/ })).toBeVisible();
  await expect(page.getByRole('button', { name: /^LyCORIS\W+loads with a loss/ })).toBeVisible();
});

test('a preset selects its layers, and a budget proposes what meets it', async ({ page }) => {
  await page.getByLabel('Start from LyCORIS’s preset').selectOption('attn-only');
  await expect(page.getByText('56 layers', { exact: false }).first()).toBeVisible();
  await page.getByRole('spinbutton', { name: /At most … numbers/ }).fill('5000');
  await page.getByRole('spinbutton', { name: /At most … numbers/ }).blur();
  const proposal = page.getByRole('button', { name: /^Use it: [\d\s,]+ numbers/ });
  await proposal.click();
  await expect(page.getByText(/^Within 5/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Undo' })).toBeEnabled();
});
