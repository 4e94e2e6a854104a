/** @file Graphics devices that are lost, on the WebGPU that Chromium emulates: runs go on by themselves, and end with the bytes of an uncut one on the same backend. */
import { chromium, type Browser, type Page } from '@playwright/test';
import { tinyImages, tinyModel } from '#workers/trainer/testing/tinyModel.ts';
import { smallJob } from '../pages/rotunePage.ts';
import { expect, test } from '../pages/test.ts';
import { adapterHash, begin, ended, finished, type Folder, openPage, savedUpTo, told } from './runs.ts';
import { trainerOf } from './storageFaults.ts';
import { Tally } from './tally.ts';

/** Enough for a loss to come before the end, whatever else keeps the machine busy. */
const STEPS = 12;
const job = { ...smallJob({ steps: STEPS, allLayers: true }), model: 'tiny' };

/** The tiny model and its pictures, as a person would pick them. */
async function folder(source: ReturnType<typeof tinyModel>): Promise<Folder> {
  if (source.kind !== 'files') throw new Error('they are files');
  const files = source.files.map(async ({ path, blob }) => ({
    path,
    base64: Buffer.from(await blob.arrayBuffer()).toString('base64'),
  }));
  return { name: source.name, files: await Promise.all(files) };
}

interface Counted {
  rotuneSubmits: number;
  /** The device is destroyed after so many submits; 0: it is not. */
  rotuneEnd: number;
}

/** Run in the worker: counts what is submitted to devices, and destroys the one that the n-th is submitted to. */
function count(): void {
  const realm = globalThis as unknown as Counted;
  Object.assign(realm, { rotuneSubmits: 0, rotuneEnd: 0 });
  const devices = new WeakMap<GPUQueue, GPUDevice>();
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    devices.set(device.queue, device);
    return device;
  };
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (...args) {
    submit.apply(this, args);
    if (++realm.rotuneSubmits === realm.rotuneEnd) devices.get(this)!.destroy();
  };
}

/** Counts anew, up to there; gives what was counted. */
const endAt = (page: Page, submits: number): Promise<number> =>
  trainerOf(page).evaluate((end) => {
    const realm = globalThis as unknown as Counted;
    const { rotuneSubmits } = realm;
    Object.assign(realm, { rotuneSubmits: 0, rotuneEnd: end });
    return rotuneSubmits;
  }, submits);

/** A page whose worker stands, with no device on WebGPU yet. */
async function open(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ baseURL: test.info().project.use.baseURL! });
  const page = await context.newPage();
  await openPage(page);
  await page.evaluate((given) => globalThis.rotune!.prepare({ ...given, backend: 'wasm' }), await options());
  await trainerOf(page).evaluate(count);
  return page;
}

const options = async () => ({ job, model: await folder(tinyModel()), train: await folder(tinyImages()) });

const train = async (page: Page): Promise<void> =>
  begin(page, job, { backend: 'webgpu', ...(await options()) });

/** The run went on by itself on another device, and ends as it would have. */
async function wentOn(page: Page, expected: string): Promise<void> {
  finished(await ended(page));
  const lost = (await told(page)).filter(
    (event) => event.kind === 'warning' && event.problem.code === 'device-lost',
  );
  expect(lost, 'said once').toHaveLength(1);
  expect(JSON.stringify(lost)).toContain('went on by itself on a new one');
  expect(await adapterHash(page), 'bytes of the adapter').toBe(expected);
}

/** Milliseconds after a saved state, so that no two losses fall into the same work. */
const moments = Array.from({ length: 15 }, (_, i) => ({ step: (i % 3) + 1, later: i * 17 }));
const outcome = 'the run goes on by itself, and ends with the bytes of an uncut one on WebGPU';

test('devices destroyed', async ({ browser }) => {
  const tally = new Tally({ kind: 'Graphics', fault: 'the WebGPU device is destroyed in mid-run', outcome });
  const page = await open(browser);
  await train(page);
  finished(await ended(page));
  const expected = await adapterHash(page);
  await train(page);
  await endAt(page, 0);
  finished(await ended(page));
  // From the first steps to the last, evenly apart.
  const all = await endAt(page, 0);
  for (let part = 1; part <= 15; part++)
    await tally.try(`at ${part} of 17 parts of all work`, async () => {
      await endAt(page, Math.round((all * part) / 17));
      await train(page);
      await wentOn(page, expected);
    });
  await page.context().close();
  expect(tally.broken).toEqual([]);
});

test('graphics processes that crash', async () => {
  const tally = new Tally({
    kind: 'Graphics',
    fault: 'the browser’s graphics process crashes in mid-run',
    outcome,
  });
  let expected: string | null = null;
  for (const { step, later } of moments)
    await tally.try(`after step ${step}, ${later} ms later`, async () => {
      // After a few crashes a browser gives up its graphics process for good.
      const browser = await chromium.launch(test.info().project.use.launchOptions);
      try {
        const page = await open(browser);
        if (expected === null) {
          await train(page);
          finished(await ended(page));
          expected = await adapterHash(page);
        }
        const cdp = await browser.newBrowserCDPSession();
        await train(page);
        await savedUpTo(page, step);
        await page.waitForTimeout(later);
        await cdp.send('Browser.crashGpuProcess');
        await wentOn(page, expected);
      } finally {
        await browser.close();
      }
    });
  expect(tally.broken).toEqual([]);
});
