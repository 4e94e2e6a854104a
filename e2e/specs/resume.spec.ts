/** @file A run that is cut off anywhere goes on, and ends with the same bytes as one that never was. */
import type { Page } from '@playwright/test';
import { DEATHS } from '../pages/deaths.ts';
import { depth } from '../pages/depth.ts';
import { type RotunePage, smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';

const STEPS = depth(12, 30);
const KILLS = depth(1, 5);
const job = smallJob({ steps: STEPS });

async function adapterBytes(page: Page): Promise<string> {
  const adapter = await page.evaluate(() => globalThis.rotune!.export());
  if (!adapter.ok) throw new Error(adapter.problem.message);
  return Buffer.from(adapter.value.bytes).toString('hex');
}

/** Starts or resumes in the page without waiting for the end. */
function start(page: Page, resume: boolean): Promise<unknown> {
  return page
    .evaluate(([given, go]) => globalThis.rotune!.run({ job: given, backend: 'wasm', resume: go }), [
      job,
      resume,
    ] as const)
    .catch(() => 'killed');
}

/** It takes as long as a few gigabytes take to fill, and then to be given back. Chromium ends the worker alone. */
const outOfMemory = (): void =>
  void setTimeout(() => {
    const held: number[][] = [];
    for (;;) held.push(new Array<number>(5_000_000).fill(0.5));
  });
/** So many deaths, three a run: more within five minutes, and a person is asked. */
const ROUNDS = depth(1, 7);
const rounds: readonly (readonly (() => void)[])[] = [
  ...Array.from({ length: ROUNDS }, () => Object.values(DEATHS)),
  ...depth([], [[outOfMemory]]),
];

test(`killed ${KILLS === 1 ? 'once' : `at ${KILLS} moments`}, its worker dead ${rounds.flat().length} times, the adapter is byte for byte that of an uninterrupted run`, async ({
  context,
}) => {
  test.setTimeout(600_000);
  const open = async () => {
    const page = await context.newPage();
    await page.goto('/?threads=1');
    await page.waitForFunction(() => globalThis.rotune !== undefined);
    return page;
  };
  let page = await open();
  expect(await start(page, false)).toMatchObject({ ok: true, value: { outcome: 'finished', step: STEPS } });
  const expected = await adapterBytes(page);
  await page.evaluate(async () => globalThis.rotune!.discard((await globalThis.rotune!.lastRun())!.id));
  await page.close();

  page = await open();
  let last = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    void start(page, kill > 1);
    // After a further checkpoint, at a moment that nobody chose: in a step, in a save, between.
    const goal = last + 1;
    await expect
      .poll(() => page.evaluate(() => globalThis.rotune!.lastRun().then((run) => run?.step ?? 0)), {
        timeout: 120_000,
        intervals: [100],
      })
      .toBeGreaterThanOrEqual(goal);
    await page.waitForTimeout(Math.random() * 600);
    await page.close();
    page = await open();
    const saved = await page.evaluate(() => globalThis.rotune!.lastRun());
    if (saved === null) throw new Error('nothing was saved');
    test.info().annotations.push({ type: 'killed after step', description: String(saved.step) });
    last = saved.step;
    expect(saved.finished, 'the run ended before it could be killed').toBe(false);
  }
  expect(await start(page, true)).toMatchObject({ ok: true, value: { outcome: 'finished', step: STEPS } });
  expect(await adapterBytes(page)).toBe(expected);

  const step = () => page.evaluate(() => globalThis.rotune!.lastRun().then((run) => run?.step ?? 0));
  for (const deaths of rounds) {
    await page.evaluate(async () => globalThis.rotune!.discard((await globalThis.rotune!.lastRun())!.id));
    const ended = start(page, false);
    // Of the worker before this one.
    let saved = 0;
    for (const death of deaths) {
      await expect.poll(step, { timeout: 120_000, intervals: [100] }).toBeGreaterThan(saved);
      const worker = page.workers().find((each) => each.url().includes('trainer'))!;
      const gone = worker.waitForEvent('close', { timeout: 120_000 });
      // Nobody answers any more.
      void worker.evaluate(death).catch(() => undefined);
      await gone;
      saved = await step();
    }
    expect(await ended).toMatchObject({ ok: true, value: { outcome: 'finished', step: STEPS } });
    expect(await adapterBytes(page)).toBe(expected);
  }
});

/** Steps of a run that nobody waits out. */
const LONG = 1000;

/** Goes on from what is saved, trains a step further at least, and is kept. */
async function goesOn(rotune: RotunePage): Promise<void> {
  const { page } = rotune;
  const step = () => page.evaluate(() => globalThis.rotune!.lastRun().then((run) => run?.step ?? 0));
  await expect(rotune.continueRun).toBeVisible({ timeout: 60_000 });
  const saved = await step();
  await rotune.continueRun.click();
  await expect.poll(step, { timeout: 120_000 }).toBeGreaterThan(saved);
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await rotune.resultHeading.waitFor({ timeout: 120_000 });
  expect(await page.evaluate(() => globalThis.rotune!.lastRun())).toMatchObject({ finished: true });
}

test('after a reload in mid-run the page offers to go on, and does', async ({ rotune, page }) => {
  await rotune.openJob(smallJob({ steps: LONG }));
  await rotune.trainShared.click();
  await expect
    .poll(() => page.evaluate(() => globalThis.rotune!.lastRun().then((run) => run?.step ?? 0)), {
      timeout: 120_000,
    })
    .toBeGreaterThanOrEqual(2);
  await rotune.open();
  await page.reload();
  await goesOn(rotune);
});

test('pause saves, continue goes on', async ({ rotune }) => {
  await rotune.openJob(smallJob({ steps: LONG }));
  await rotune.trainShared.click();
  await expect(rotune.pause).toBeEnabled({ timeout: 120_000 });
  await rotune.pause.click();
  await goesOn(rotune);
});
