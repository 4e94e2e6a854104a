/** @file What people do in a second tab while a run trains in the first; each fails where it is neither refused nor harmless. */
import { expect, type Page } from '@playwright/test';
import { open, train } from './longRun.ts';

const refused = { ok: false, problem: { code: 'another-tab' } };

const card = (page: Page) => page.getByRole('listitem').filter({ hasText: /step \d+ of|another tab/ });
async function more(page: Page, name: string): Promise<void> {
  const run = card(page);
  await run.getByText('More').click();
  await run.getByRole('button', { name, exact: true }).click();
}
/** It is said that the run trains elsewhere. */
const said = (page: Page) => expect(page.getByRole('alert')).toContainText(/training in another tab/i);

const lastId = (page: Page): Promise<string> =>
  page.evaluate(async () => (await globalThis.rotune!.lastRun())!.id);

/** Of all runs that are kept. */
const runIds = (page: Page): Promise<string[]> =>
  page.evaluate(
    () =>
      new Promise((done) => {
        indexedDB.open('rotune').onsuccess = ({ target }) => {
          const { result: database } = target as IDBOpenDBRequest;
          const keys = database.transaction('runs').objectStore('runs').getAllKeys();
          keys.onsuccess = () => {
            database.close();
            done(keys.result.map(String).flatMap((key) => /^run\/(.*)/.exec(key)?.[1] ?? []));
          };
        };
      }),
  );

async function zip(page: Page, press: () => Promise<void>): Promise<string> {
  const download = page.waitForEvent('download');
  await press();
  return (await download).path();
}

/** By what a person would call it. */
export const actions: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  'start over': (page) =>
    page.evaluate(async () => globalThis.rotune!.discard((await globalThis.rotune!.lastRun())!.id)),
  'start a run': async (page) => expect(await train(page, false)).toMatchObject(refused),
  'two starts at once': async (page) => {
    const other = await open(page.context());
    expect(await Promise.all([train(page, false), train(other, false)])).toMatchObject([refused, refused]);
    await other.close();
  },
  'two starts at once in one tab': async (page) => {
    for (const outcome of await Promise.all([train(page, false), train(page, false)]))
      expect(outcome).toMatchObject({ ok: false });
  },
  'go on with the run': async (page) => expect(await train(page, true)).toMatchObject(refused),
  'press Continue as soon as it is there': async (page) => {
    await page.reload();
    // Before the page has heard of the other tab.
    const button = card(page).getByRole('button', { name: /^Continue from step/ });
    await button.click({ timeout: 1000 }).catch(() => undefined);
  },
  pause: (page) => page.evaluate(() => globalThis.rotune!.pause()),
  stop: (page) => page.evaluate(() => globalThis.rotune!.stop()),
  rename: async (page) => {
    await more(page, 'Rename');
    await page.getByLabel('Name of the run').fill('another name');
    await page.getByRole('button', { name: 'Rename', exact: true }).first().click();
    await said(page);
  },
  delete: async (page) => {
    await more(page, 'Delete');
    await said(page);
  },
  'delete, and start over': async (page) => {
    await more(page, 'Delete');
    await page.evaluate(async () => globalThis.rotune!.discard((await globalThis.rotune!.lastRun())!.id));
  },
  'press “Stop and keep” as soon as it is there': async (page) => {
    await page.reload();
    await card(page).getByText('More').click();
    await card(page)
      .getByRole('button', { name: 'Stop and keep' })
      .click({ timeout: 1000 })
      .catch(() => undefined);
  },
  'save as zip': (page) => zip(page, () => more(page, 'Save as zip')),
  'save all, and put back': async (page) => {
    const file = await zip(page, () => page.getByRole('button', { name: 'Save all as zip' }).click());
    const id = await lastId(page);
    await page.getByLabel('Open saved runs').setInputFiles(file);
    await expect(card(page)).toHaveCount(2);
    // A copy of its own, which is removed again.
    for (const copy of await runIds(page))
      if (copy !== id) await page.evaluate((run) => globalThis.rotune!.discard(run), copy);
    expect(await runIds(page)).toEqual([id]);
  },
  'free room': async (page) => {
    await page.getByText('Storage', { exact: true }).click();
    await page.getByRole('button', { name: /^Free old checkpoints/ }).click();
    await expect(page.getByRole('button', { name: /^Free old checkpoints/ })).toBeEnabled();
  },
  'open it': async (page) => {
    await card(page).getByRole('button', { name: /^Open/ }).click();
    await expect(page.getByRole('img', { name: /^Loss by step/ })).toBeVisible();
  },
  'open its address, and load it anew': async (page) => {
    await page.goto(`/?threads=1#/run/${await lastId(page)}`);
    await page.reload();
    await page.waitForFunction(() => globalThis.rotune !== undefined);
  },
  'open it, and save its adapter': async (page) => {
    await card(page).getByRole('button', { name: /^Open/ }).click();
    await page.evaluate(() => globalThis.rotune!.export());
  },
  'train again with its settings': async (page) => {
    await more(page, 'Train again with its settings');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await said(page);
  },
  'prepare another job': (page) => page.evaluate(() => globalThis.rotune!.prepare()),
  'be closed in mid-work': (page) => {
    void page.evaluate(() => globalThis.rotune!.prepare()).catch(() => undefined);
    return page.waitForTimeout(500);
  },
};
