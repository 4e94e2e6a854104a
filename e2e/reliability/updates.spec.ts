/** @file A new version of the page is accepted in another tab, at ten moments of a run: the run and its result take no notice. */
import type { BrowserContext, Page } from '@playwright/test';
import { builtFiles, changedBuild, FaultyHost } from '../pages/faultyHost.ts';
import { names } from '../pages/names.ts';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';
import { adapterHash, begin, ended, finished, savedUpTo, trained } from './runs.ts';
import { Tally } from './tally.ts';

const job = smallJob({ steps: 25 });
const first = builtFiles();
/** Builds that differ from each other in these, in what imports them, and in the list of all files. */
const builds = [/^assets\/Result-.*\.js$/, /^assets\/serve-.*\.js$/, /^assets\/About-.*\.js$/].map((chunk) =>
  changedBuild(first, chunk),
);

/** The new version is fetched, offered in another tab, and accepted there. */
async function accept(other: Page): Promise<void> {
  await other.evaluate(async () => (await navigator.serviceWorker.ready).update());
  const gone = other.waitForEvent('load');
  await other.getByRole('button', { name: 'Reload' }).click();
  await gone;
}

async function visit(page: Page, address: string): Promise<void> {
  await page.goto(`${address}?threads=1`);
  await page.waitForFunction(() => globalThis.rotune !== undefined);
  await page.evaluate(() => navigator.serviceWorker.ready);
}

/** Every view of the page that was not looked at yet, and what is loaded where an adapter is saved for other tools. */
async function lookAround(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: names.resultHeading })).toBeVisible();
  for (const format of ['peft', 'comfyui', 'onnx'] as const) {
    const saved = await page.evaluate((kind) => globalThis.rotune!.export(kind), format);
    // A format that cannot hold it says so; what it takes to know that was loaded.
    if (!saved.ok) expect(saved.problem.code, saved.problem.message).not.toBe('internal');
  }
  for (const [hash, heading] of [
    ['#/words', /Words/],
    ['#/about', 'About Rotune'],
    ['#/model', /model/i],
  ] as const) {
    await page.evaluate((to) => (location.hash = to), hash);
    await expect(page.getByRole('heading', { name: heading }).first()).toBeVisible();
  }
  await expect(page.getByText('This part of the page could not be loaded.')).toHaveCount(0);
}

/** Accepts the new version at a moment of the run; what it gives is awaited at the end. */
type Moment = (page: Page, update: () => Promise<void>) => Promise<void>;

const drawing: Moment = async (page, update) => {
  await ended(page);
  await page.getByRole('button', { name: 'Draw it' }).click();
  await update();
  await expect(page.getByRole('button', { name: 'Draw it' })).toBeEnabled({ timeout: 60_000 });
};
const atStep =
  (step: number, later = 0): Moment =>
  async (page, update) => {
    await savedUpTo(page, step);
    await page.waitForTimeout(later);
    await update();
  };

const moments: readonly (readonly [string, Moment])[] = [
  ['as it is asked for', (_, update) => update()],
  [
    'while it is prepared',
    async (page, update) => {
      await page.waitForTimeout(200);
      await update();
    },
  ],
  ['at its first saved state', atStep(1)],
  ['while it trains, early', atStep(2, 150)],
  ['while it trains, in the middle', atStep(8, 90)],
  ['as a state is saved', atStep(14)],
  ['while it trains, late', atStep(20, 40)],
  ['as its last state is saved', atStep(25)],
  [
    'at the result',
    async (page, update) => {
      await ended(page);
      await update();
    },
  ],
  ['while it draws', drawing],
];

test('updates', async ({ context }: { context: BrowserContext }) => {
  const host = new FaultyHost(builds.at(-1));
  const address = await host.open();
  const tally = new Tally({
    kind: 'Updates',
    fault: 'a new version of the page is accepted in another tab',
    outcome: 'the run ends with the same bytes, its result opens, and every part of the page still loads',
  });
  try {
    const page = await context.newPage();
    await visit(page, address);
    await trained(page, job);
    const expected = await adapterHash(page);
    await page.close();
    for (const [i, [name, moment]] of moments.entries())
      await tally.try(name, async () => {
        const [running, other] = [await context.newPage(), await context.newPage()];
        const wrong: string[] = [];
        running.on('pageerror', (error) => wrong.push(error.message));
        try {
          await visit(other, address);
          await visit(running, address);
          host.build = builds[i % builds.length]!;
          await begin(running, job);
          await moment(running, () => accept(other));
          finished(await ended(running));
          expect(await adapterHash(running), 'bytes of the adapter').toBe(expected);
          await lookAround(running);
          expect(wrong, 'uncaught errors').toEqual([]);
        } finally {
          await running.close();
          await other.close();
        }
      });
  } finally {
    host.close();
  }
  expect(tally.broken).toEqual([]);
});
