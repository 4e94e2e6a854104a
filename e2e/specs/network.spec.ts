/** @file Faults of network and cache in the whole page: what is damaged is fetched again and said, a retry works where it stands, an update takes nothing away. */
import type { Page } from '@playwright/test';
import { encodeLink } from '#src/formats/jobs/link.ts';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { type Build, builtFiles, changedBuild, FaultyHost } from '../pages/faultyHost.ts';
import { RotunePage, SMALL_LAYERS, smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

test.use({ serviceWorkers: 'allow' });

const MODEL = 'models/emoji/unet/model.onnx';
const PACK = 'data/riso/files.pack';
const named = (build: Build, pattern: RegExp): string =>
  [...build.keys()].find((path) => pattern.test(path))!;

/** A page on a host, whose service worker is in charge. */
async function visit(page: Page, address: string, job: Job): Promise<RotunePage> {
  await page.goto(`${address}?threads=1`);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.goto('about:blank');
  await page.goto(`${address}?threads=1${await encodeLink(job)}`);
  return new RotunePage(page);
}

test('what comes damaged is fetched again and said; what fails is tried again in the same page', async ({
  page,
}) => {
  const host = new FaultyHost();
  const wasm = named(host.build, /threaded\.wasm.*\.gz$/);
  const glue = named(host.build, /ort-wasm-simd-threaded-[^.]*\.mjs$/);
  try {
    const rotune = await visit(page, await host.open(), smallJob());
    // Asked for early, and again by whoever reads it: twice each.
    host.faults.set(MODEL, ['truncated', 'HTML', 'HTML', 'truncated', 'break']);
    host.faults.set(PACK, ['HTML']);
    host.faults.set(wasm, ['truncated']);
    host.faults.set(glue, ['HTML', '500']);
    await rotune.trainShared.click();
    // That is said, with what to press.
    await expect(rotune.problem).toContainText(`model.onnx came damaged, and again when it was fetched anew`);
    await page.evaluate(() => (document.title = document.body.dataset['same'] = 'same'));
    await page.getByRole('button', { name: 'Try again' }).click();
    await rotune.resultHeading.waitFor({ timeout: 120_000 });
    expect(await page.evaluate(() => document.body.dataset['same'])).toBe('same');
    expect(readSafetensors(await rotune.adapter()).tensors.size).toBe(2 * SMALL_LAYERS);
    expect([...host.faults.values()].flat()).toEqual([]);
  } finally {
    host.close();
  }
});

test('a line that goes in the middle, and comes back, is enough to go on', async ({ page }) => {
  const host = new FaultyHost();
  try {
    const rotune = await visit(page, await host.open(), smallJob());
    host.faults.set(MODEL, ['break']);
    await rotune.trainShared.click();
    await expect.poll(() => host.asked.includes(MODEL)).toBe(true);
    host.down = true;
    // It waits, and asks a few times more, before it gives up.
    await expect(rotune.problem).toContainText('there is no connection', { timeout: 90_000 });
    host.down = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await rotune.resultHeading.waitFor({ timeout: 120_000 });
  } finally {
    host.close();
  }
});

test('a cache whose files went bad heals, and the result is the same', async ({ page }) => {
  const host = new FaultyHost();
  const address = await host.open();
  try {
    const rotune = await visit(page, address, smallJob());
    await rotune.trainShared.click();
    await rotune.resultHeading.waitFor({ timeout: 120_000 });
    const before = await rotune.adapter();
    // Models, data and WebAssembly get a few bits turned, scripts become a page.
    const spoilt = await page.evaluate(async () => {
      const kept = await caches.open((await caches.keys())[0]!);
      let count = 0;
      for (const { url } of await kept.keys()) {
        const { pathname } = new URL(url);
        if (!/\.(onnx|pack|gz|mjs|js)$/.test(pathname)) continue;
        const bytes = new Uint8Array(await (await kept.match(url))!.arrayBuffer());
        for (let i = 0; i < 64; i++) bytes[Math.floor(((i + 0.5) * bytes.length) / 64)]! ^= 1;
        const script = /js$/.test(pathname);
        await kept.put(url, new Response(script ? '<!doctype html>' : bytes));
        count++;
      }
      return count;
    });
    expect(spoilt).toBeGreaterThan(50);
    await page.goto('about:blank');
    await page.goto(`${address}?threads=1${await encodeLink(smallJob())}`);
    await rotune.trainShared.click();
    await expect(
      page.getByText(/came damaged, and were thrown away and fetched again/).first(),
    ).toBeAttached();
    await rotune.resultHeading.waitFor({ timeout: 120_000 });
    expect((await rotune.adapter()).equals(before)).toBe(true);
  } finally {
    host.close();
  }
});

test('an update accepted in another tab takes nothing from a run that goes on', async ({ page, context }) => {
  const first = builtFiles();
  const second = changedBuild(first, /^assets\/Result-.*\.js$/);
  const view = named(first, /^assets\/Result-.*\.js$/);
  expect(second.has(view)).toBe(false);
  const host = new FaultyHost(first);
  const address = await host.open();
  try {
    const rotune = await visit(page, address, smallJob({ steps: 40 }));
    await rotune.trainShared.click();
    await expect(rotune.pause).toBeEnabled({ timeout: 60_000 });

    host.build = second;
    const other = await context.newPage();
    await other.goto(`${address}?threads=1`);
    await other.evaluate(async () => (await navigator.serviceWorker.ready).update());
    const gone = other.waitForEvent('load');
    await other.getByRole('button', { name: 'Reload' }).click();
    await gone;
    const keys = () =>
      other.evaluate(async () =>
        (await (await caches.open((await caches.keys())[0]!)).keys()).map(({ url }) => url),
      );
    expect((await keys()).join()).toContain('next.js');

    await rotune.resultHeading.waitFor({ timeout: 120_000 });
    expect(readSafetensors(await rotune.adapter()).tensors.size).toBe(2 * SMALL_LAYERS);
    // The last page of the old build goes, and what was kept for it.
    await page.close();
    await expect
      .poll(async () => {
        await other.reload();
        return (await keys()).join().includes(view);
      })
      .toBe(false);
  } finally {
    host.close();
  }
});

test.describe('without a service worker', () => {
  test.use({ serviceWorkers: 'block' });

  test('a view that does not come is asked for again in the same page', async ({ page, rotune }) => {
    await rotune.open();
    // It is asked for ahead, too.
    await page.route('**/assets/About-*.js', (route) => route.abort());
    await page.evaluate(() => (location.hash = '#/about'));
    await expect(rotune.problem).toContainText('This part of the page could not be loaded.');
    await page.unroute('**/assets/About-*.js');
    await rotune.problem.getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByRole('heading', { name: 'About Rotune' })).toBeVisible();
  });
});
