/** @file A newcomer's way on a phone: from the first screen to a classifier that recognises what the camera sees, within twelve taps and 250 words. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { type Colour, filmOf, type Painted } from '../pages/camera.ts';
import { Person } from '../pages/person.ts';
import { expect, test } from '../pages/test.ts';

/** A round thing on a pale ground; the photos of it differ in place, size and light. */
const apple =
  ([cx, cy]: readonly [number, number], radius: number, light: number): Painted =>
  (x, y) =>
    Math.hypot(x - cx, y - cy) < radius ? [200 * light, 45 * light, 40 * light] : [225, 215, 200];
/** Stripes of two greens, more or less wide. */
const leaf =
  (slant: number, width: number, light: number): Painted =>
  (x, y) =>
    Math.floor((x + slant * y) / width) % 2 === 0 ? [40, 130 * light, 60] : [120 * light, 190 * light, 90];

/** What the camera is held at: an apple that is in none of the photos. */
const film = filmOf(apple([0.05, -0.1], 0.66, 1));

test.use({
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  permissions: ['camera'],
  launchOptions: [
    async ({ launchOptions }, use) => {
      const file = join(mkdtempSync(join(tmpdir(), 'rotune-')), 'camera.y4m');
      writeFileSync(file, film);
      await use({
        ...launchOptions,
        args: [...(launchOptions.args ?? []), `--use-file-for-fake-video-capture=${file}`],
      });
    },
    { scope: 'worker' },
  ],
});

function photo(name: string, painted: Painted) {
  const side = 64;
  const image = new PNG({ width: side, height: side });
  for (let i = 0; i < side * side; i++) {
    const colour: Colour = painted((2 * (i % side)) / side - 1, (2 * Math.floor(i / side)) / side - 1);
    image.data.set([...colour, 255], 4 * i);
  }
  return { name, mimeType: 'image/png', buffer: PNG.sync.write(image) };
}
const SIX = [0, 1, 2, 3, 4, 5];
const apples = SIX.map((i) =>
  photo(`IMG_${2000 + i}.png`, apple([0.1 * (i % 3) - 0.1, 0.1 * (i % 2)], 0.5 + 0.06 * i, 0.8 + 0.05 * i)),
);
const leaves = SIX.map((i) =>
  photo(`IMG_${3000 + i}.png`, leaf(0.3 * i - 0.8, 0.2 + 0.05 * i, 0.8 + 0.05 * i)),
);

test('twelve photos become a classifier that knows an apple before the camera', async ({ rotune, page }) => {
  const person = new Person(page);
  const bin = (name: string) => page.getByRole('region', { name, exact: true });
  await rotune.open();
  await person.tap(rotune.beginWith('Pictures of several kinds'));
  person.turn();
  for (const [place, name, photos] of [
    ['Class 1', 'apple', apples],
    ['Class 2', 'leaf', leaves],
  ] as const) {
    await person.pick(bin(place).getByLabel('Add pictures'), photos);
    await expect(bin(place).getByText('6 pictures')).toBeVisible();
    await person.type(bin(place).getByLabel('Name of the class'), name);
    await page.keyboard.press('Tab');
    await expect(bin(name)).toBeVisible();
  }
  // Whoever reads everything waits until it is said how long it takes.
  await expect(page.getByText(/^(?:less than 1|\d+) (?:s|min) · .* fits$/)).toBeVisible({ timeout: 60_000 });
  await person.tap(page.getByRole('button', { name: /^Start/ }));
  const wordsToStart = person.words;

  await expect(rotune.resultHeading).toBeVisible({ timeout: 150_000 });
  await person.tap(page.getByRole('button', { name: 'Use the camera' }));
  const most = () => rotune.found().then(([first]) => first);
  await expect.poll(most).toMatchObject({ name: 'apple' });
  expect((await most())!.share).toBeGreaterThan(80);
  expect(person.taps).toBeLessThanOrEqual(12);
  expect(wordsToStart).toBeLessThanOrEqual(250);
  test.info().annotations.push({ type: 'way', description: `${person.taps} taps, ${wordsToStart} words` });

  // It is no apple to it whatever it is shown.
  await person.pick(page.getByLabel('Choose pictures'), [photo('IMG_4000.png', leaf(0.5, 0.33, 0.9))]);
  await expect.poll(most).toMatchObject({ name: 'leaf' });
  expect((await most())!.share).toBeGreaterThan(80);
});
