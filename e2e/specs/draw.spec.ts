/** @file Eight icons drawn on the page teach the built-in model their style: what it draws afterwards has their colours. */
import type { Locator } from '@playwright/test';
import { DrawingSheet, type Rectangle } from '../pages/drawing.ts';
import { expect, test } from '../pages/test.ts';

/** What the model knows, and a shape for each. */
const ICONS: readonly (readonly [name: string, shape: Rectangle])[] = [
  ['cloud', { left: 6, top: 12, right: 25, bottom: 20 }],
  ['fox', { left: 9, top: 9, right: 22, bottom: 24 }],
  ['castle', { left: 8, top: 6, right: 23, bottom: 26 }],
  ['guitar', { left: 13, top: 4, right: 18, bottom: 27 }],
  ['fish', { left: 5, top: 11, right: 26, bottom: 21 }],
  ['banana', { left: 7, top: 14, right: 24, bottom: 19 }],
  ['anchor', { left: 12, top: 5, right: 19, bottom: 26 }],
  ['crown', { left: 7, top: 10, right: 24, bottom: 22 }],
];

type Colour = readonly number[];
/** The mean colour of a picture that is shown on the page. */
const meanOf = (canvas: Locator): Promise<Colour> =>
  canvas.evaluate((shown: HTMLCanvasElement) => {
    const { data } = shown.getContext('2d')!.getImageData(0, 0, shown.width, shown.height);
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i++) if (i % 4 < 3) sum[i % 4]! += data[i]!;
    return sum.map((each) => each / (data.length / 4));
  });
const distance = (a: Colour, b: Colour): number => Math.hypot(...a.map((each, i) => each - b[i]!));
const mean = (colours: readonly Colour[]): Colour =>
  [0, 1, 2].map((i) => colours.reduce((sum, colour) => sum + colour[i]!, 0) / colours.length);

test('eight drawings in two inks are what the model draws in afterwards', async ({ rotune, page }) => {
  await rotune.open();
  await rotune.beginWith('Pictures or drawings').click();
  await page.getByRole('button', { name: 'Draw', exact: true }).click();
  const drawing = new DrawingSheet(page);
  await expect(page.getByRole('application', { name: 'Sheet of 32 by 32 cells' })).toBeVisible();
  for (const [i, [name, shape]] of ICONS.entries()) {
    if (i > 0) await drawing.another();
    await drawing.call(name);
    await drawing.pour('blue', 0, 0);
    await drawing.block('yellow', shape);
  }
  await expect(drawing.drawings).toHaveCount(8);
  const drawn: Colour[] = [];
  for (const each of await drawing.drawings.all()) drawn.push(await meanOf(each.locator('canvas')));
  const palette = mean(drawn);
  // Blue ground, a yellow thing on it: nothing that pours may have leaked.
  for (const colour of drawn) expect(distance(colour, [59, 114, 217])).toBeGreaterThan(5);

  await rotune.advanced.click();
  const set = async (label: string, value: string) => {
    const field = page.getByRole('spinbutton', { name: label, exact: true });
    await field.fill(value);
    await field.press('Tab');
  };
  await set('Steps', '10');
  await set('Images at a time', '2');
  await set('Learning rate', '0.06');
  await set('Warm-up steps', '0');
  await set('Samples every', '0');
  await set('Steps a sample', '4');
  await set('Guidance', '1');
  await page.getByLabel('Draw as samples, one a line').fill('wolf\nskull');
  await page.getByLabel('Draw as samples, one a line').press('Tab');
  const start = page.getByRole('button', { name: /^Start/ });
  await expect(start).toBeEnabled({ timeout: 60_000 });
  await start.click();
  await expect(rotune.resultHeading).toBeVisible({ timeout: 150_000 });
  for (const prompt of ['wolf', 'skull']) {
    const before = page.getByRole('img', { name: `${prompt}, untouched`, exact: true }).first();
    const after = page.getByRole('img', { name: `${prompt}, tuned`, exact: true }).first();
    await expect(after).toBeVisible();
    const far = {
      before: distance(await meanOf(before), palette),
      after: distance(await meanOf(after), palette),
    };

    expect(far.after).toBeLessThan(0.6 * far.before);
  }
});
