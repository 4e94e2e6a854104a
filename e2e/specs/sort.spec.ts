/** @file Texts typed on the page, labelled by keys, make a classifier that sorts a text it never saw. */
import { expect, test } from '../pages/test.ts';

const TEXTS: readonly (readonly [text: string, label: 'thanks' | 'complaint'])[] = [
  ['many thanks , the ticket made my day', 'thanks'],
  ['the cheese was a disappointment', 'complaint'],
  ['i am so glad about the train', 'thanks'],
  ['nobody answered when i wrote about the soup', 'complaint'],
  ['your coffee was wonderful , we will come again', 'thanks'],
  ['our flight is far too expensive , i want my money back', 'complaint'],
  ['we all loved our hotel room', 'thanks'],
  ['nobody answered when i wrote about the concert', 'complaint'],
  ['thank you very much for the seeds', 'thanks'],
  ['the greenhouse was a disappointment', 'complaint'],
  ['many thanks , the record made my day', 'thanks'],
  ['the violin is far too expensive , i want my money back', 'complaint'],
];

test('twelve texts get labels by keys, and a typed one is sorted', async ({ rotune, page }) => {
  await rotune.open();
  await rotune.beginWith('Texts of several kinds').click();
  await page.getByLabel('Type or paste texts to sort').fill(TEXTS.map(([text]) => text).join('\n'));
  await page.getByRole('button', { name: 'Add them' }).click();
  await expect(page.getByText('12 without a label: left out of training')).toBeVisible();
  for (const label of ['thanks', 'complaint']) {
    await page.getByLabel('New label').fill(label);
    await page.keyboard.press('Enter');
  }
  // Each key goes on to the next row by itself.
  await page.getByLabel('Label of text 1', { exact: true }).focus();
  for (const [, label] of TEXTS) await page.keyboard.press(label === 'thanks' ? '1' : '2');
  await expect(page.getByText('left out of training')).toBeHidden();
  for (const [i, [text, label]] of TEXTS.entries()) {
    await expect(page.getByLabel(`Text ${i + 1}`, { exact: true })).toHaveValue(text);
    await expect(page.getByLabel(`Label of text ${i + 1}`, { exact: true }).locator(':checked')).toHaveText(
      label,
    );
  }
  await rotune.advanced.click();
  await page.getByLabel('Steps', { exact: true }).fill('30');
  await page.getByLabel('Steps', { exact: true }).press('Tab');
  const start = page.getByRole('button', { name: /^Start/ });
  await expect(start).toBeEnabled({ timeout: 60_000 });
  await start.click();
  await expect(rotune.resultHeading).toBeVisible({ timeout: 120_000 });

  const most = () => rotune.found().then(([first]) => first);
  for (const [text, label] of [
    ['your music was wonderful , we will come again', 'thanks'],
    ['the hotel room was a disappointment', 'complaint'],
  ] as const) {
    await rotune.tryIt.getByRole('textbox').fill(text);
    await rotune.tryIt.getByRole('textbox').press('Enter');
    await expect.poll(most).toMatchObject({ name: label });
    expect(await rotune.found()).toHaveLength(2);
    expect((await most())!.share).toBeGreaterThan(75);
  }
});
