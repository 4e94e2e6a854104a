/**
 * @file `node scripts/firstMinute.mjs`: films what a stranger sees first, on a phone, as docs/first-minute.md with its pictures: the built page, its own
 * example, nothing prepared. The seconds are this machine's.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { CHROMIUM_ARGS, ensureBuild, ensureChromium, ensurePackages, main, ROOT, say } from './ensure.mjs';
import { serve } from './serve.mjs';

/** @import { Page } from '@playwright/test' */

const OUT = join(ROOT, 'docs/first-minute');
const PHONE = { width: 390, height: 844 };
/** Pictures of a run, the milliseconds between two, and those for whatever comes next. */
const [SHOTS, BETWEEN, PATIENCE] = [3, 20_000, 240_000];

/** Takes a picture and keeps what is said beside it. */
class Film {
  /** @type {string[]} */
  #lines = [];
  #from = performance.now();
  #count = 0;
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {string} words */
  async shot(words) {
    const seconds = Math.round((performance.now() - this.#from) / 1000);
    const name = `${String(++this.#count).padStart(2, '0')}.png`;
    await this.page.screenshot({ path: join(OUT, name), animations: 'disabled' });
    this.#lines.push(`**${seconds} s.** ${words}\n\n![](first-minute/${name})\n`);
    say(`${seconds} s: ${words}`);
  }

  get text() {
    return this.#lines.join('\n');
  }
}

await main(async () => {
  await ensurePackages();
  const executablePath = await ensureChromium();
  await ensureBuild();
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const server = await serve();
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
  try {
    const page = await browser.newPage({ viewport: PHONE, hasTouch: true, deviceScaleFactor: 1 });
    page.setDefaultTimeout(PATIENCE);
    const film = new Film(page);
    const button = (/** @type {string | RegExp} */ name) => page.getByRole('button', { name });
    await page.goto(server.origin);
    await button(/^Teach it this style.*about/).waitFor();
    await film.shot('The first screen: what comes out, and one button with an honest time.');
    await button(/^Teach it this style/).tap();
    await button('Pause').waitFor();
    await film.shot('One tap, and it gets ready. Nothing was asked.');
    const heading = async () =>
      (await page.getByRole('heading', { level: 1 }).innerText()).replaceAll(/\s+/g, ' ');
    const done = button(/^Save adapter/);
    await page
      .getByRole('img', { name: /, untouched/ })
      .first()
      .waitFor();
    await film.shot('The untouched model draws first, to be compared with.');
    for (let i = 0; i < SHOTS; i++) {
      await page.waitForTimeout(BETWEEN);
      await film.shot(`It learns, and says how far it is: ${await heading()}.`);
    }
    await button('Stop and keep').tap();
    await done.waitFor();
    await film.shot(`Stopped early, it keeps what it learned, and says what came of it: ${await heading()}.`);
    const wish = page.getByRole('textbox', { name: 'What to draw' });
    await wish.scrollIntoViewIfNeeded();
    await wish.fill('fox');
    await wish.press('Enter');
    for (const which of ['tuned', 'untouched'])
      await page
        .getByRole('img', { name: new RegExp(`^fox, ${which}`) })
        .first()
        .waitFor();
    await page
      .getByRole('status')
      .filter({ hasText: /^Drawing/ })
      .first()
      .waitFor({ state: 'hidden' });
    await film.shot('Something that it was not taught: a fox, before and after.');
    await done.scrollIntoViewIfNeeded();
    await film.shot('Kept on this phone already; saved as a file for the place where it will be used.');
    await page.getByRole('link', { name: 'Rotune' }).tap();
    await page.getByRole('heading', { name: 'Your runs' }).scrollIntoViewIfNeeded();
    await film.shot('Home again: the run stands there, and after a reload, too.');
    const [chrome, cores] = [browser.version(), await page.evaluate(() => navigator.hardwareConcurrency)];
    writeFileSync(
      join(ROOT, 'docs/first-minute.md'),
      `# The first minute\n\nWhat a stranger sees on a phone's screen, from the first look to a model that draws in another style. ` +
        `Made by \`node scripts/firstMinute.mjs\` (Chromium ${chrome}, ${cores} cores, no GPU, ${PHONE.width} × ${PHONE.height} px); the seconds are that machine's.\n\n${film.text}`,
    );
  } finally {
    await browser.close();
    await server.close();
  }
  return 0;
});
