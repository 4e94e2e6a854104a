/** @file The whole way without a pointer: from the first screen by texts that are typed to a run, a pause, a result, and a file. */
import { names } from '../pages/names.ts';
import { Keyboard } from '../pages/keyboard.ts';
import { expect, test } from '../pages/test.ts';

const TEXTS = [
  ['many thanks , the ticket made my day', '1'],
  ['the cheese was a disappointment', '2'],
  ['i am so glad about the train', '1'],
  ['nobody answered when i wrote about the soup', '2'],
  ['we all loved our hotel room', '1'],
  ['the greenhouse was a disappointment', '2'],
] as const;

test('from home to a saved adapter by keys alone', async ({ rotune, page }) => {
  const keyboard = new Keyboard(page);
  await rotune.open();
  await keyboard.press(rotune.beginWith('Texts of several kinds'));
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await keyboard.type(page.getByLabel('Type or paste texts to sort'), TEXTS.map(([text]) => text).join('\n'));
  await keyboard.press(page.getByRole('button', { name: 'Add them' }));
  for (const label of ['thanks', 'complaint']) {
    await keyboard.type(page.getByLabel('New label'), label);
    await page.keyboard.press('Enter');
  }
  await page.keyboard.press('Shift+Tab');
  await keyboard.to(page.getByLabel('Label of text 1', { exact: true }));
  for (const [, key] of TEXTS) await page.keyboard.press(key);
  await expect(page.getByText('left out of training')).toBeHidden();

  const depth = page.getByRole('radio', { name: /Balanced/ });
  await keyboard.to(depth);
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('radio', { name: /Light/ })).toBeChecked();
  await keyboard.press(page.locator('summary', { has: rotune.advanced }));
  await keyboard.type(page.getByLabel('Steps', { exact: true }), '400');
  await keyboard.press(page.getByRole('button', { name: /^Start/ }));

  await keyboard.press(rotune.pause, 'Space');
  await keyboard.press(rotune.continueRun);
  await keyboard.press(page.getByRole('button', { name: names.stopAndKeep }));
  await expect(rotune.resultHeading).toBeVisible({ timeout: 60_000 });
  await keyboard.type(page.getByLabel('What to name'), 'thank you for the seeds');
  await page.keyboard.press('Enter');
  await expect(page.getByText(/thanks/).last()).toBeVisible();
  const strength = page.getByRole('slider', { name: 'Strength' });
  await keyboard.press(strength, 'ArrowLeft');
  await expect(strength).toHaveValue('0.9');
  const download = page.waitForEvent('download');
  await keyboard.press(rotune.saveAdapter);
  expect((await download).suggestedFilename()).toMatch(/\.(onnx|safetensors)$/);
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
});
