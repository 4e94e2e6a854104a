/** @file Links carry a job there and back; a broken one is refused in words. */
import { decodeLink, encodeLink } from '#src/formats/jobs/link.ts';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

test('the link of a finished run opens the same job', async ({ rotune, page }) => {
  const job = smallJob({ seed: 5 });
  await rotune.trainFromLink(job);
  await rotune.copyLink.click();
  const link = await page.getByLabel('The link').inputValue();
  expect(new URL(link).origin).toBe(new URL(page.url()).origin);
  expect(await decodeLink(new URL(link).hash)).toEqual(job);
  await page.goto('about:blank');
  await page.goto(link);
  await expect(page.getByRole('heading', { name: 'Someone shared a job with you' })).toBeVisible();
  await expect(page.getByText('3 steps of 1 image')).toBeVisible();
  await expect(page.getByRole('img', { name: /^Above what it draws untouched/ })).toBeVisible();
});

const broken: [string, (good: string) => string, RegExp][] = [
  ['cut off', (good) => good.slice(0, good.length / 2), /damaged/],
  ['from a later version', (good) => good.replace('#v1:', '#v9:'), /newer Rotune/],
  ['full of other characters', () => '#v1:!!!', /damaged/],
];
for (const [name, breakIt, words] of broken) {
  test(`a link that is ${name} gets a friendly refusal`, async ({ rotune }) => {
    await rotune.open(breakIt(await encodeLink(smallJob())));
    await expect(rotune.problem).toContainText(words);
    await expect(rotune.demoButton).toBeEnabled();
  });
}
