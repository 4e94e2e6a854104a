/** @file A cancel is heard in the midst of large data, a stop in the midst of a long update, and the page trains something small after it. */
import type { Page } from '@playwright/test';
import { zipSync } from 'fflate';
import { depth } from '../pages/depth.ts';
import { names } from '../pages/names.ts';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';

const job = `
  task = "language"
  model = "builtin:stories"
  [data]
  train = "texts"
  heldout = ""
  split = 0
  [train]
  steps = 2
  batch = 1
  accumulate = 1
  warmup = 0
  [sample]
  prompts = ["the cat"]
  every = 0
`;

declare global {
  /** What comes of the run that was begun. */
  var begun: Promise<unknown> | undefined;
}

const SENTENCE = 'the cat and the captain found a map of the island, and they went to sea';

/** Begins a run on a list of so many texts, and does not wait for it. */
const begin = (page: Page, texts: number, toml = job): Promise<void> =>
  page.evaluate(
    ([given, sentence, count]) => {
      const list = Array.from({ length: count }, (_, i) => `${sentence} ${i}`);
      const blob = new Blob([JSON.stringify(list)]);
      const train = { name: 'texts', files: [{ path: 'texts.json', blob }] };
      globalThis.begun = globalThis.rotune!.run({ job: given, backend: 'wasm', train });
    },
    [toml, SENTENCE, texts] as const,
  );

const ZIP = '/texts-of-the-test.zip';

/** The same of a ZIP of text files, so many megabytes in all. */
async function beginZip(page: Page, megabytes: number): Promise<void> {
  const text = new TextEncoder().encode(
    Array.from({ length: 14_000 }, (_, i) => `${SENTENCE} ${i}\n\n`).join(''),
  );
  const files = Array.from({ length: megabytes }, (_, i): [string, Uint8Array] => [`${i}.txt`, text]);
  const body = Buffer.from(zipSync(Object.fromEntries(files), { level: 1 }));
  await page.route(`**${ZIP}`, (route) => route.fulfill({ body, contentType: 'application/zip' }));
  await page.evaluate(
    async ([given, address]) => {
      const blob = await (await fetch(address)).blob();
      const train = { name: 'texts', files: [{ path: 'texts.zip', blob }] };
      globalThis.begun = globalThis.rotune!.run({ job: given, backend: 'wasm', train });
    },
    [job, ZIP] as const,
  );
}

const ended = (page: Page): Promise<unknown> => page.evaluate(() => globalThis.begun);

/** Texts in 40 MB. */
const MANY = 500_000;
/** When the cancel comes: what is begun, and what the page says then. */
const MOMENTS = {
  '40 MB of texts are read': {
    begin: (page: Page) => begin(page, MANY),
    says: /^Preparing the data/,
  },
  '40 MB of texts are tokenised': {
    begin: (page: Page) => begin(page, MANY),
    says: /^Preparing the data: [1-9]\d{3,} of/,
  },
  '60 MB of texts in a ZIP are read': {
    begin: (page: Page) => beginZip(page, 60),
    says: /^Preparing the data/,
  },
} as const;
const chosen = depth(['40 MB of texts are read'] as const, Object.keys(MOMENTS) as (keyof typeof MOMENTS)[]);

/** Presses the button, and notes how long it took to be heard. */
async function stopped(page: Page, name: string, outcome: Readonly<Record<string, unknown>>): Promise<void> {
  const worker = page.workers().find((each) => each.url().includes('trainer'));
  const asked = performance.now();
  await page.getByRole('button', { name, exact: true }).click();
  expect(await ended(page)).toMatchObject(outcome);
  const took = `${Math.round(performance.now() - asked)} ms, worker ${page.workers().includes(worker!) ? 'kept' : 'ended'}`;
  test.info().annotations.push({ type: 'heard after', description: took });
  await expect(page.getByRole('button', { name, exact: true })).toHaveCount(0);
}

for (const moment of chosen)
  test(`a cancel while ${moment} is heard, and a small text is learned after it`, async ({
    rotune,
    page,
  }) => {
    const { begin: start, says } = MOMENTS[moment];
    await rotune.open();
    await start(page);
    await expect(page.getByText(says)).toBeVisible({ timeout: 120_000 });
    await stopped(page, 'Cancel', { ok: false, problem: { code: 'cancelled' } });
    await begin(page, 20);
    expect(await ended(page)).toMatchObject({ ok: true, value: { outcome: 'finished', step: 2 } });
  });

if (depth(false, true))
  test('a stop within an update of 1,024 micro-steps is heard', async ({ rotune, page }) => {
    await rotune.open();
    await begin(
      page,
      17_000,
      job.replace('accumulate = 1', 'accumulate = 1024').replace('batch = 1', 'batch = 16'),
    );
    await expect(page.getByRole('button', { name: names.stopAndKeep })).toBeVisible({ timeout: 120_000 });
    // Compiling is over by then, and the first update is not.
    await page.waitForTimeout(2000);
    await stopped(page, names.stopAndKeep, { ok: true, value: { step: 0 } });
  });

if (depth(false, true))
  test('a stop while samples are drawn is heard', async ({ rotune, page }) => {
    await rotune.open();
    const given = smallJob({ steps: 3, every: 1 });
    const many = {
      ...given,
      sample: { ...given.sample, steps: 50, prompts: ['ghost', 'owl', 'cat', 'ship'] },
    };
    await page.evaluate((toml) => {
      globalThis.begun = globalThis.rotune!.run({ job: toml, backend: 'wasm' });
    }, printJob(many));
    await expect(page.getByText(/^Drawing samples/).first()).toBeVisible({ timeout: 120_000 });
    await stopped(page, names.stopAndKeep, { ok: true, value: { step: 0 } });
  });
