/**
 * @file How long the page's main thread is busy in one go (tasks above 50 ms, by the browser's own observer) while it trains, while someone draws, drags
 * or scrolls, and with a thousand pictures at hand. Wants an idle machine: what else runs makes every task longer.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { PNG } from 'pngjs';
import { CHROMIUM_ARGS, ensureBuild, findChromium } from '../../scripts/ensure.mjs';
import { serve } from '../../scripts/serve.mjs';

const PATIENCE = 120_000;

declare global {
  var longTasks: number[] | undefined;
}

/** Milliseconds of each task above 50 ms since the last look. */
const taken = (page: Page): Promise<number[]> =>
  page.evaluate(async () => {
    // What is under way has still to be told.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return (globalThis.longTasks ??= []).splice(0).map(Math.round);
  });

const observe = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longTasks?.push(duration);
    }).observe({ type: 'longtask', buffered: true });
  });

function say(what: string, tasks: readonly number[]): void {
  const worst = Math.max(0, ...tasks);
  console.log(
    `${what}: ${tasks.length === 0 ? 'none above 50 ms' : `${tasks.length} above 50 ms, the longest ${worst} ms (${tasks.join(', ')})`}`,
  );
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/** Drags across an element, a step a frame. */
async function drag(page: Page, selector: string): Promise<void> {
  const box = await page.locator(selector).first().boundingBox();
  if (!box) throw new Error(`${selector} is not there.`);
  const at = (share: number): [number, number] => [
    box.x + (0.1 + 0.8 * share) * box.width,
    box.y + (0.3 + 0.4 * share) * box.height,
  ];
  await page.mouse.move(...at(0));
  await page.mouse.down();
  for (let i = 1; i <= 40; i++) await page.mouse.move(...at(i / 40));
  await page.mouse.up();
}

async function training(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await button(page, /^Teach it this style/).click();
  await button(page, 'Pause').waitFor();
  say('loading and compiling the demo', await taken(page));
  await page.waitForTimeout(30_000);
  say('training the demo for 30 s', await taken(page));
  await page.mouse.wheel(0, 900);
  await page.waitForTimeout(1000);
  await page.mouse.wheel(0, -900);
  await page.waitForTimeout(1000);
  say('scrolling while it trains', await taken(page));
  await button(page, 'Stop and keep').click();
  await button(page, /^Save adapter/).waitFor();
  say('arriving at the result', await taken(page));
  await drag(page, 'input[type=range]');
  await page.waitForTimeout(2000);
  say('dragging the strength', await taken(page));
  await button(page, /^Enlarge/)
    .first()
    .click();
  await page.locator('dialog[open]').waitFor();
  await drag(page, 'dialog[open] input[type=range]');
  say('dragging the wipe', await taken(page));
}

async function drawing(page: Page, address: string): Promise<void> {
  await page.goto(`${address}/#/new/diffusion`);
  await button(page, 'Make your own').click();
  await button(page, 'Draw').click();
  await page.locator('[role=application]').scrollIntoViewIfNeeded();
  await page.waitForTimeout(1500);
  await taken(page);
  for (let i = 0; i < 5; i++) await drag(page, '[role=application]');
  say('drawing five strokes', await taken(page));
}

async function pictures(page: Page, address: string, count: number): Promise<void> {
  await page.goto(`${address}/#/new/diffusion`);
  await button(page, 'Make your own').click();
  // From the disk, as a picker gives them: the driver would unpack others in the page's own thread.
  const folder = mkdtempSync(join(tmpdir(), 'rotune-bench-'));
  const files = Array.from({ length: count }, (_, i) => {
    const image = new PNG({ width: 64, height: 64 });
    for (let p = 0; p < 64 * 64; p++) image.data.set([i % 256, (p + i) % 256, i >> 2, 255], 4 * p);
    const path = join(folder, `IMG_${i}.png`);
    writeFileSync(path, PNG.sync.write(image));
    return path;
  });
  await page.waitForTimeout(1500);
  await taken(page);
  await page.getByLabel('Add pictures').setInputFiles(files);
  await page.getByText(`${count} pictures`, { exact: true }).first().waitFor();
  await page.waitForTimeout(3000);
  say(`taking ${count} pictures in`, await taken(page));
  for (let i = 0; i < 10; i++) {
    await page.mouse.wheel(0, 700);
    await page.waitForTimeout(150);
  }
  say('scrolling through them', await taken(page));
  await page.getByLabel('Words for all of them').fill('paint');
  await button(page, 'In front of all').click();
  await page.waitForTimeout(3000);
  say('a word in front of all', await taken(page));
}

/** @param count of pictures */
export async function main(count = 1000): Promise<void> {
  await ensureBuild();
  const server = await serve();
  const executablePath = findChromium();
  const browser = await chromium.launch({
    args: CHROMIUM_ARGS,
    ...(executablePath === null ? {} : { executablePath }),
  });
  try {
    const parts = [drawing, (page: Page, address: string) => pictures(page, address, count), training];
    for (const part of parts) {
      // What one of them made is kept, and would be found by the next.
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE);
      await observe(page);
      await part(page, server.origin);
      await context.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
}
