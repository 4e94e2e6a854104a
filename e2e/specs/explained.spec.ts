/** @file What words mean, what is shipped under which licence, and which words of a prompt the model does not know: on the built page. */
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

test('words that the model does not know are said where they are drawn', async ({ rotune, page }) => {
  await rotune.trainFromLink(smallJob());
  const field = page.getByRole('textbox', { name: 'What to draw' });
  await field.fill('wolf');
  await page.getByRole('button', { name: 'Draw it' }).click();
  await expect(page.getByRole('img', { name: 'wolf, tuned' })).toBeVisible();
  const note = page.getByText(/^The model does not know/);
  await expect(note).toHaveCount(0);
  await field.fill('zyzzyva wolf');
  await page.getByRole('button', { name: 'Draw it' }).click();
  await expect(note).toHaveText('The model does not know "zyzzyva".');
});

test('a figure leads to its word in the glossary, and back again', async ({ rotune, page }) => {
  await rotune.trainFromLink(smallJob());
  await page.getByRole('button', { name: 'What is “Strength”?' }).click();
  const card = page.getByRole('note', { name: 'Strength', exact: true });
  await card.getByRole('link', { name: 'All words' }).click();
  await expect(page).toHaveTitle('Words · Rotune');
  await expect(page.getByRole('term').filter({ hasText: /^Strength$/ })).toBeFocused();
  await page.goBack();
  await expect(page).toHaveTitle('Done · Rotune');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
});

test('About leads to the licences of all that is shipped', async ({ page }) => {
  await page.goto('#/about');
  await expect(page.getByRole('heading', { name: 'About Rotune' })).toBeVisible();
  const opened = page.waitForEvent('popup');
  await page.getByRole('link', { name: 'licences.txt' }).click();
  const text = await (await opened).locator('body').innerText();
  for (const name of ['The Rotune authors', 'onnxruntime-web', 'svelte', 'hash-wasm'])
    expect(text).toContain(name);
});
