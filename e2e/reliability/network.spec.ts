/** @file Networks that fail, over 40 times: a run begins all the same once the network is well again, in the same page, and nothing that failed is kept. */
import type { Browser, Locator, Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import { encodeLink } from '#src/formats/jobs/link.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { builtFiles, type Fault, FAULTS, FaultyHost } from '../pages/faultyHost.ts';
import { RotunePage, smallJob } from '../pages/rotunePage.ts';
import { shortExamples } from '../pages/shortExamples.ts';
import { expect, test } from '../pages/test.ts';
import { Tally } from './tally.ts';

const build = builtFiles();
const named = (pattern: RegExp): string => [...build.keys()].find((path) => pattern.test(path))!;
const job = smallJob({ steps: 1 });
const example = shortExamples(0).find(({ task }) => task === 'image-classification')!.job;

/** As in all tests of a kind. */
const bytesOf = new Map<Job, string>();

/** Goes to the page with the job that its link names. */
async function visit(page: Page, address: string, given: Job): Promise<RotunePage> {
  await page.goto('about:blank');
  await page.goto(`${address}?threads=1${await encodeLink(given)}`);
  return new RotunePage(page);
}

/** Trains, presses Try again where that is offered once the network is well again, and gives the bytes of what was learned. */
async function train(
  page: Page,
  rotune: RotunePage,
  heal: () => void,
  asked?: () => boolean,
): Promise<string> {
  await rotune.trainShared.click();
  const again = page.getByRole('button', { name: /^(Try again|Go on preparing)$/ });
  if (asked) {
    await expect.poll(asked, { timeout: 60_000 }).toBe(true);
    await page.waitForTimeout(1000);
    heal();
  }
  /** What the page says instead is part of the reason why a case does not hold. */
  const reached = (what: Locator) =>
    what
      .first()
      .waitFor({ timeout: 150_000 })
      .catch(async () => {
        throw new Error(`no result: ${(await page.locator('main').innerText()).slice(0, 400)}`);
      });
  await reached(rotune.resultHeading.or(again));
  heal();
  if (await again.isVisible()) {
    await page.evaluate(() => (document.body.dataset['same'] = 'same'));
    await again.click();
    await reached(rotune.resultHeading);
    expect(await page.evaluate(() => document.body.dataset['same']), 'in the same page').toBe('same');
  }
  return createHash('sha256')
    .update(await rotune.adapter())
    .digest('hex');
}

/** Run in the page: takes a file out of what is kept. */
async function forget(path: string): Promise<void> {
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const key of await cache.keys())
      if (new URL(key.url).pathname === `/${path}`) await cache.delete(key);
  }
}

/** Run in the page. */
async function isKept(path: string): Promise<boolean> {
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys())
      if (new URL(url).pathname === `/${path}`) return true;
  return false;
}

/** Run in the page: files that are kept under a hash which they do not have. */
async function keptWrongly(): Promise<string[]> {
  const wrong: string[] = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const { url } of await cache.keys()) {
      const wanted = new URL(url).searchParams.get('sha256');
      if (wanted === null) continue;
      const bytes = await (await cache.match(url))!.arrayBuffer();
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      const hash = [...digest].map((x) => x.toString(16).padStart(2, '0')).join('');
      if (hash !== wanted) wrong.push(url);
    }
  }
  return wrong;
}

interface Tried {
  readonly path: string;
  /** 'offline': the whole host goes while this file comes; null: there is none. */
  readonly fault: Fault | 'offline' | null;
  readonly job: Job;
}

/** A browser that was here before: all is kept but what a case takes away. */
class Visitor {
  readonly host = new FaultyHost(build);
  readonly #wrong: string[] = [];
  readonly page: Page;
  #address = '';

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.#wrong.push(error.message));
  }

  static async open(browser: Browser): Promise<Visitor> {
    const visitor = new Visitor(await (await browser.newContext()).newPage());
    visitor.#address = await visitor.host.open();
    return visitor;
  }

  async close(): Promise<void> {
    await this.page.context().close();
    this.host.close();
  }

  /** Until the service worker is in charge. */
  async ready(): Promise<void> {
    await this.page.goto(`${this.#address}?threads=1`);
    await this.page.evaluate(() => navigator.serviceWorker.ready);
  }

  visit = (given: Job): Promise<RotunePage> => visit(this.page, this.#address, given);

  /** One fault from the moment that a run is asked for, or from a page's first visit on. */
  async tried({ path, fault, job: given }: Tried, when: 'run' | 'visit' = 'run'): Promise<void> {
    const { host, page } = this;
    const begin = () => fault && host.lasting.set(path, fault === 'offline' ? 'break' : fault);
    const heal = () => {
      host.lasting.delete(path);
      host.down = false;
    };
    heal();
    this.#wrong.length = 0;
    if (when === 'visit') begin();
    else await page.evaluate(forget, path);
    const rotune = await this.visit(given);
    if (when === 'run') {
      begin();
      host.asked.length = 0;
    }
    const asked = (): boolean => {
      if (!host.asked.includes(path)) return false;
      if (fault === 'offline') host.down = true;
      return true;
    };
    // Silence is waited for long: the network is well again before.
    const waits = fault === 'stalled' || fault === 'offline';
    const bytes = await train(page, rotune, heal, waits ? asked : undefined);
    expect(host.asked, 'the fault was met').toContain(path);
    expect(bytes, 'bytes of the adapter').toBe(bytesOf.get(given) ?? bytes);
    bytesOf.set(given, bytes);
    expect(await page.evaluate(keptWrongly), 'kept wrongly').toEqual([]);
    if (when === 'run') await expect.poll(() => page.evaluate(isKept, path), { message: 'kept' }).toBe(true);
    expect(this.#wrong, 'uncaught errors').toEqual([]);
  }

  /** A run on a page that is loaded with the network off. */
  async offline(given: Job): Promise<void> {
    this.host.down = true;
    const bytes = await train(this.page, await this.visit(given), () => undefined);
    expect(bytes, 'bytes with the network off').toBe(bytesOf.get(given));
    this.host.down = false;
  }
}

const files = {
  'the model': named(/^models\/emoji\/unet\/model\.onnx$/),
  'the data': named(/^data\/riso\/files\.pack$/),
  'the runtime’s WebAssembly': named(/threaded\.wasm.*\.gz$/),
  'the runtime’s script': named(/ort-wasm-simd-threaded-[^.]*\.mjs$/),
} as const;

const outcome =
  'a run begins by itself or by “Try again” in the same page, with the same bytes; nothing wrong is kept, and it works offline then';

let visitor: Visitor;
test.describe.configure({ mode: 'default' });
test.beforeAll(async ({ browser }) => {
  visitor = await Visitor.open(browser);
  await visitor.ready();
  // What runs learn over a network that does not fail.
  for (const given of [job, example])
    await visitor.tried({ path: files['the runtime’s WebAssembly'], fault: null, job: given });
});
test.afterAll(() => visitor.close());

for (const [what, path] of Object.entries(files))
  test(what, async () => {
    const tally = new Tally({ kind: 'Network', fault: `${FAULTS.length + 1} faults of ${what}`, outcome });
    for (const fault of [...FAULTS, 'offline'] as const)
      await tally.try(fault, () => visitor.tried({ path, fault, job }));
    await tally.try('then, with the network off', () => visitor.offline(job));
    expect(tally.broken).toEqual([]);
  });

test('another example', async () => {
  const faults = ['500', 'truncated', 'bytes', 'offline'] as const;
  const tally = new Tally({
    kind: 'Network',
    fault: `${faults.length} faults of another example’s files`,
    outcome,
  });
  for (const [i, fault] of faults.entries()) {
    const path = named(i % 2 === 0 ? /^models\/shapes\/.*\.onnx$/ : /^data\/new-shapes\/.*\.pack$/);
    await tally.try(`${fault}, ${path}`, () => visitor.tried({ path, fault, job: example }));
  }
  await tally.try('then, with the network off', () => visitor.offline(example));
  expect(tally.broken).toEqual([]);
});

test('the worker’s own script', async ({ browser }) => {
  const faults = ['500', '404', 'reset', 'HTML', 'truncated', 'redirect'] as const;
  const tally = new Tally({
    kind: 'Network',
    fault: `${faults.length} faults of the worker’s script from the first visit on`,
    outcome,
  });
  for (const [i, fault] of faults.entries()) {
    const path = named(i % 2 === 0 ? /^assets\/serve-.*\.js$/ : /^assets\/trainer\.worker-.*\.js$/);
    await tally.try(`${fault}, ${path}`, async () => {
      const first = await Visitor.open(browser);
      try {
        await first.tried({ path, fault, job }, 'visit');
        // The next visit has all of it, and keeps it.
        await first.ready();
        await train(first.page, await first.visit(job), () => undefined);
        await first.offline(job);
      } finally {
        await first.close();
      }
    });
  }
  expect(tally.broken).toEqual([]);
});
