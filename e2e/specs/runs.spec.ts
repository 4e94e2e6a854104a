/** @file Your runs: each has an address, is there after a reload whatever became of it, and travels in an archive with every byte. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { names } from '../pages/names.ts';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

/** Runs a job in the page without its buttons; `until` ends it: by a pause, a stop, or not at all. */
const run = (page: Page, seed: number, until: 'pause' | 'stop' | null, steps = 3): Promise<unknown> =>
  page.evaluate(
    async ([job, how]) => {
      const api = globalThis.rotune!;
      let asked = false;
      return api.run({ job, backend: 'wasm' }, (event) => {
        if (event.kind !== 'steps' || how === null || asked) return;
        asked = true;
        void (how === 'pause' ? api.pause() : api.stop());
      });
    },
    [smallJob({ steps, seed }), until] as const,
  );

/** Rows for a net of four numbers in and two out: the first can be learned, of all others the loss is infinite. */
function rowsThatBreak(good: number, bad: number): Buffer {
  const rows = good + bad;
  const x = Float32Array.from({ length: rows * 4 }, (_, i) => Math.sin(i));
  const y = Float32Array.from({ length: rows * 2 }, (_, i) => (i < 2 * good ? Math.cos(i) : 1e30));
  return Buffer.from(
    writeSafetensors(
      new Map([
        ['x', { type: 'float32', shape: [rows, 4], data: x }],
        ['y', { type: 'float32', shape: [rows, 2], data: y }],
      ]),
    ),
  );
}

/** Of the 24 good rows some are held out: the third batch has the first bad ones. */
const BROKE = /broke down at step 3: the loss or its gradient was not finite/;

/** A run whose loss becomes infinite after two good steps. */
const runThatBreaks = (page: Page): Promise<unknown> =>
  page.evaluate(
    (base64) =>
      globalThis.rotune!.run({
        job: `
          task = "generic"
          model = "builtin:waves"
          [data]
          train = "rows"
          heldout = ""
          [train]
          steps = 400
          batch = 8
          checkpoint_steps = 1
          [options]
          order = "sequential"
        `,
        train: { name: 'rows', files: [{ path: 'rows.safetensors', base64 }] },
        backend: 'wasm',
      }),
    rowsThatBreak(24, 400).toString('base64'),
  );

const adapterOf = async (page: Page): Promise<string> => {
  const outcome = await page.evaluate(() => globalThis.rotune!.export());
  if (!outcome.ok) throw new Error(outcome.problem.message);
  return Buffer.from(outcome.value.bytes).toString('base64');
};
const card = (page: Page, standing: RegExp) => page.getByRole('listitem').filter({ hasText: standing });

test('five runs in all states are there after a reload, back and forward, and go out and in with every byte', async ({
  rotune,
  page,
}) => {
  test.setTimeout(300_000);
  await rotune.open();
  expect(await run(page, 1, null)).toMatchObject({ ok: true, value: { outcome: 'finished' } });
  const finished = await adapterOf(page);
  const address = page.url();
  expect(address).toMatch(/#\/result\/.+/);
  expect(await run(page, 2, 'stop', 400)).toMatchObject({ ok: true, value: { outcome: 'stopped' } });
  expect(await run(page, 3, 'pause', 400)).toMatchObject({ ok: true, value: { outcome: 'paused' } });
  expect(await runThatBreaks(page)).toMatchObject({
    ok: false,
    problem: { message: expect.stringMatching(BROKE) as unknown },
  });
  // Cut off in mid-run: the page goes while it trains.
  void run(page, 4, null, 400).catch(() => undefined);
  await expect
    .poll(
      () => page.evaluate(() => globalThis.globalThis.rotune!.lastRun().then((last) => last?.job.train.seed)),
      {
        timeout: 60_000,
      },
    )
    .toBe(4);
  await page.goto('about:blank');
  await rotune.open();
  await expect(card(page, /Finished, 3 steps/)).toBeVisible();
  await expect(card(page, /Stopped at step \d+ of 400/)).toBeVisible();
  await expect(card(page, /Paused at step \d+ of 400/)).toBeVisible();
  await expect(card(page, /Failed, saved at step \d+ of 400/)).toBeVisible();
  await expect(card(page, /Cut off, saved at step \d+ of 400/)).toBeVisible();

  // The address of the first one's result, as a bookmark.
  await page.goto(address);
  await expect(rotune.resultHeading).toBeVisible();
  expect(await adapterOf(page)).toBe(finished);
  await page.reload();
  await expect(rotune.resultHeading).toBeVisible();
  expect(await adapterOf(page)).toBe(finished);
  await page.getByRole('link', { name: 'Rotune' }).click();
  await card(page, /Paused at step/)
    .getByRole('button', { name: /^Open/ })
    .click();
  await expect(page.getByRole('button', { name: names.continueRun })).toBeEnabled();
  await expect(page.getByRole('img', { name: /^Loss by step/ })).toBeVisible();
  await page.goBack();
  await expect(card(page, /Paused at step/)).toBeVisible();
  await page.goForward();
  await expect(page.getByRole('button', { name: names.continueRun })).toBeEnabled();
  await page.goBack();

  // What failed says why, and can be gone on with from where it was still well.
  const broken = card(page, /Failed, saved at step/);
  await expect(broken.getByRole('button', { name: /^Continue from step \d+/ })).toBeEnabled();
  await broken.getByRole('button', { name: /^Open/ }).click();
  await expect(page.getByRole('alert')).toContainText(BROKE);
  await expect(page.getByRole('alert').getByText(/^The state after \d+ steps is saved/)).toBeVisible();
  await page.goBack();

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save all as zip' }).click();
  const archive = readFileSync(await (await download).path());
  await page.evaluate(async () => {
    for (let last = await globalThis.rotune!.lastRun(); last; last = await globalThis.rotune!.lastRun())
      await globalThis.rotune!.discard(last.id);
  });
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Your runs' })).toBeHidden();
  const bring = (buffer: Buffer) =>
    page
      .getByLabel('Open saved runs')
      .setInputFiles({ name: 'runs.zip', mimeType: 'application/zip', buffer });
  await bring(archive.subarray(0, archive.length - 200));
  await expect(rotune.problem).toContainText('runs.zip');
  await bring(archive);
  await expect(card(page, /Finished, 3 steps/)).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: /of 400/ })).toHaveCount(4);
  await card(page, /Finished, 3 steps/)
    .getByRole('button', { name: /^Open/ })
    .click();
  await expect(rotune.resultHeading).toBeVisible();
  expect(await adapterOf(page)).toBe(finished);
});

test('a job that is being made is there after a reload, with the files that were given', async ({
  rotune,
  page,
}) => {
  await rotune.open();
  await rotune.beginWith('Texts or chats').click();
  await page
    .getByLabel('Add files')
    .first()
    .setInputFiles({
      name: 'owl.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('The owl sleeps. '.repeat(90)),
    });
  const start = page.getByRole('button', { name: /^Start/ });
  await expect(start).toBeEnabled({ timeout: 60_000 });
  await page.waitForTimeout(1500);
  await page.reload();
  await expect(start).toBeEnabled({ timeout: 60_000 });
  const said = () =>
    page
      .locator('textarea')
      .evaluateAll((fields) => fields.map((field) => (field as HTMLTextAreaElement).value).join(' '));
  await expect.poll(said).toContain('The owl sleeps');
});
