/** @file Whatever is killed and whenever: the run goes on from what is saved, and its adapter is byte for byte that of a run that nothing happened to. */
import { type BrowserContext, chromium, type Page } from '@playwright/test';
import { expect, test } from '../pages/test.ts';
import { crash, killBrowser, killRenderers } from './endings.ts';
import { inSave, MOMENTS, type Moment } from './inSave.ts';
import {
  adapter,
  finish,
  forget,
  judge,
  open,
  savedAfter,
  savedStep,
  train,
  undisturbed,
} from './longRun.ts';
import { Tally } from './tally.ts';

const OUTCOME = 'It goes on from the last saved step; the adapter is the same to the byte';
/** Kills in one run. */
const EACH = 5;

/** Ends the page, or all pages; what of the browser is needed for a next page. */
type Kill = (page: Page, i: number) => Promise<void>;

/** One run, killed again and again. */
async function killedRun(
  tally: Tally,
  context: BrowserContext,
  expected: string,
  how: { readonly names: readonly string[]; readonly kill: Kill },
): Promise<void> {
  const done: string[] = [];
  let page = await open(context);
  const end = async (): Promise<void> => {
    let last = 0;
    for (const [i, name] of how.names.entries()) {
      void train(page, i > 0);
      await savedAfter(page, last);
      done.push(name);
      await how.kill(page, i);
      await page.close();
      page = await open(context);
      last = await savedStep(page);
      test.info().annotations.push({ type: name, description: `step ${last}` });
    }
    expect(await finish(page, true)).toBe(expected);
  };
  await judge(tally, how.names, end);
  expect(done, 'kills that were tried').toHaveLength(how.names.length);
  await forget(page);
  await page.close();
}

/** At a moment that nobody chose: in a step, in a save, between. */
const atAnyMoment = (page: Page): Promise<void> => page.waitForTimeout(Math.random() * 500);

const named = (what: string): string[] => Array.from({ length: EACH }, (_, i) => `${what} ${i + 1}`);

test('a tab that is closed', async ({ context }) => {
  const tally = new Tally({ kind: 'Killed', fault: 'The tab is closed in mid-run', outcome: OUTCOME });
  const expected = await undisturbed(context);
  for (let run = 0; run < 3; run++)
    await killedRun(tally, context, expected, {
      names: named(`run ${run + 1}, tab`),
      kill: async (page) => {
        await atAnyMoment(page);
        await page.close();
      },
    });
  expect(tally.broken).toEqual([]);
});

test('a tab whose process crashes or is killed', async ({ context }) => {
  const tally = new Tally({
    kind: 'Killed',
    fault: 'The tab’s process crashes, or is killed',
    outcome: OUTCOME,
  });
  const expected = await undisturbed(context);
  for (const [what, end] of [
    ['crash', crash],
    ['SIGKILL', killRenderers],
  ] as const)
    await killedRun(tally, context, expected, {
      names: named(what),
      kill: async (page) => {
        await atAnyMoment(page);
        await end(page);
      },
    });
  expect(tally.broken).toEqual([]);
});

test('a tab that is killed inside a save', async ({ context }) => {
  const tally = new Tally({
    kind: 'Killed',
    fault: 'The tab’s process is killed inside a save',
    outcome: OUTCOME,
  });
  const expected = await undisturbed(context);
  for (let run = 0; run < 2; run++) {
    const moments = Array.from(
      { length: EACH },
      (_, i): Moment => MOMENTS[(run * EACH + i) % MOMENTS.length]!,
    );
    await killedRun(tally, context, expected, {
      names: moments.map((moment, i) => `run ${run + 1}, save ${i + 1}, ${moment}`),
      kill: async (page, i) => {
        await inSave(page, moments[i]!);
        await killRenderers(page);
      },
    });
  }
  expect(tally.broken).toEqual([]);
});

test('a browser that is killed', async ({ context, launchOptions, baseURL }) => {
  const tally = new Tally({ kind: 'Killed', fault: 'The whole browser is killed', outcome: OUTCOME });
  const expected = await undisturbed(context);
  const profile = test.info().outputPath('profile');
  const launched = () =>
    chromium.launchPersistentContext(profile, { ...launchOptions, ...(baseURL && { baseURL }) });
  const names = named('browser');
  let browser = await launched();
  try {
    await judge(tally, names, async () => {
      for (let i = 0; i < EACH; i++) {
        const page = await open(browser);
        const last = await savedStep(page);
        void train(page, i > 0);
        await savedAfter(page, last);
        await atAnyMoment(page);
        const closed = browser.waitForEvent('close');
        await killBrowser(browser);
        await closed;
        browser = await launched();
      }
      const page = await open(browser);
      expect(await finish(page, true)).toBe(expected);
      expect(await adapter(page)).toBe(expected);
    });
  } finally {
    await browser.close();
  }
  expect(tally.broken).toEqual([]);
});
