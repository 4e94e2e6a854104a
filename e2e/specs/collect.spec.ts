/** @file Data made on a phone: twelve pictures in two classes, from the gallery and the camera, none of them in a folder; then it trains. */
import { PNG } from 'pngjs';
import { names } from '../pages/names.ts';
import { violations } from '../pages/axe.ts';
import { expect, test } from '../pages/test.ts';

test.use({
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  permissions: ['camera'],
});

/** A plain colour with a little of another: a picture that no other of them equals. */
function picture(name: string, [r, g, b]: readonly [number, number, number]) {
  const image = new PNG({ width: 48, height: 48 });
  for (let i = 0; i < 48 * 48; i++) image.data.set([r, g, (b + i) % 256, 255], 4 * i);
  return { name, mimeType: 'image/png', buffer: PNG.sync.write(image) };
}

test('twelve pictures in two classes, by the gallery and the camera, are learned', async ({
  rotune,
  page,
}) => {
  await rotune.open();
  await rotune.beginWith('Pictures of several kinds').click();
  const bin = (name: string) => page.getByRole('region', { name, exact: true });
  await bin('Class 1')
    .getByLabel('Add pictures')
    .setInputFiles([0, 1, 2, 3, 4, 5].map((i) => picture(`IMG_${2000 + i}.png`, [200, 30 * i, 40])));
  await expect(bin('Class 1').getByText('6 pictures')).toBeVisible();
  await bin('Class 1').getByLabel('Name of the class').fill('apple');
  await bin('Class 1').getByLabel('Name of the class').press('Enter');
  await expect(bin('apple')).toBeVisible();

  await bin('Class 2').getByRole('button', { name: 'Camera' }).click();
  const take = page.getByRole('button', { name: 'Hold to take pictures' });
  await expect(take).toBeEnabled();
  await expect
    .poll(() => page.locator('video').evaluate((v: HTMLVideoElement) => v.videoWidth))
    .toBeGreaterThan(0);
  // A press is short or held by the clock: on a busy machine one may take two.
  const taken = async () => Number.parseInt((await page.getByText(/^\d+ taken$/).textContent())!);
  for (let before = 0; before < 6; before = await taken()) {
    await take.press('Enter');
    await expect.poll(taken).toBeGreaterThan(before);
  }
  await page.getByRole('button', { name: 'Close the camera' }).click();
  await expect(page.locator('video')).toHaveCount(0);
  await expect(bin('Class 2').getByText(/^[6-9] pictures$/)).toBeVisible();
  expect(await violations(page)).toEqual([]);

  // As short as a run can be: what is shown is that it goes.
  await rotune.advanced.click();
  await page.getByLabel('Steps', { exact: true }).fill('3');
  await page.getByLabel('Steps', { exact: true }).press('Tab');
  await page.getByText('As the model gets them').click();
  await expect(page.getByText(/2: apple \d, Class 2 \d/)).toBeVisible();
  const start = page.getByRole('button', { name: /^Start/ });
  await expect(start).toBeEnabled();
  await start.click();
  await expect(page.getByRole('button', { name: names.saveAdapter })).toBeVisible({ timeout: 150_000 });
});
