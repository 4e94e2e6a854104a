/** @file What holds in every browser and on every kind of host: the main ways once more, in Chromium, Firefox and WebKit alike. */
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { decodeLink, encodeLink } from '#src/formats/jobs/link.ts';
import { wordOf } from '#src/app/words/glossary.ts';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import { depth } from '../pages/depth.ts';
import { quickExamples } from '../pages/goals.ts';
import { names } from '../pages/names.ts';
import { SMALL_LAYERS, smallJob } from '../pages/rotunePage.ts';
import type { Json } from './driver.ts';
import type { HostOptions } from './host.ts';
import { RemotePage } from './remotePage.ts';
import { expect, start, test } from './test.ts';

const good: HostOptions = { headers: true, path: '/' };
const bare: HostOptions = { headers: false, path: '/' };
const folder: HostOptions = { headers: false, path: '/some/rotune/' };

/** Two tests run at a time, and threads of both would wait for one another; the others take what threads there are. */
const BESIDE_OTHERS = '?threads=1';

/** Presses the shared job's button, and waits for the result. */
async function train(page: RemotePage): Promise<void> {
  await page.press(names.trainShared);
  // The chart stands, whatever the system's language.
  await page.reads('log scale');
  await page.reads(names.resultHeading);
}

const isolated = (page: RemotePage) =>
  page.until('Isolation', () => page.tab.evaluate(() => crossOriginIsolated), 60);

const oneClick = (): void =>
  test('one click trains; stopping keeps what was learned, as a file @webkit', async ({ serve, visit }) => {
    const page = await visit(await serve(good));
    await page.open(BESIDE_OTHERS);
    await page.press(names.demoButton);
    await page.reads(/Step [1-9]\d* of 120/);
    await page.press(names.stopAndKeep);
    await page.reads(names.resultHeading);
    expect(readSafetensors(await page.saveAdapter()).tensors.size).toBe(2 * 133);
  });
// A minute of drawing and judging; that each of them trains from a button to the result is below, too.
if (depth(false, true)) oneClick();

test('every task trains @webkit', async ({ serve, visit }) => {
  const page = await visit(await serve(good));
  await page.open(BESIDE_OTHERS);
  for (const { example } of quickExamples) {
    const job = jobFromTable({ ...example.job, train: { ...(example.job['train'] as object), steps: 2 } });
    const outcome = await page.tab.evaluate(
      async (given) => {
        const { ok, ...rest } = await globalThis.rotune!.run({ job: given as never, backend: 'wasm' });
        return ok ? 'ok' : JSON.stringify(rest);
      },
      JSON.parse(JSON.stringify(job)) as Json,
    );
    expect(outcome, example.id).toBe('ok');
  }
});

// Of all that WebKit does the slowest: two runs and a second browser take it most of a minute.
test(`a run that is cut off goes on, and ends with the same bytes${depth('', ' @webkit')}`, async ({
  serve,
  visit,
}) => {
  const host = await serve(good);
  const page = await visit(host);
  const job = smallJob({ steps: 20, seed: 3 });
  await page.openJob(job, BESIDE_OTHERS);
  await train(page);
  const whole = await page.adapterHex();
  await page.tab.evaluate(async () => globalThis.rotune!.discard((await globalThis.rotune!.lastRun())!.id));
  const second = await visit(host);
  await second.openJob(job, BESIDE_OTHERS);
  await second.press(names.trainShared);
  await second.cutOff(`${BESIDE_OTHERS}&again`);
  await second.press(names.continueRun);
  await second.reads(names.resultHeading);
  expect(await second.adapterHex()).toBe(whole);
});

test('without the host’s headers the page isolates itself, and works with no host at all @webkit @hosts', async ({
  serve,
  visit,
}) => {
  const host = await serve(bare);
  const page = await visit(host);
  await page.open();
  await isolated(page);
  await page.openJob(smallJob());
  await train(page);
  await host.close();
  await page.open('?offline');
  expect(await page.tab.evaluate(() => crossOriginIsolated)).toBe(true);
  await page.openJob(smallJob({ seed: 1 }), '?offline');
  await train(page);
  expect(readSafetensors(await page.saveAdapter()).tensors.size).toBe(2 * SMALL_LAYERS);
});

test('the first visit may be by a link, wherever the page lies: the reload for isolation keeps it @webkit @hosts', async ({
  serve,
  visit,
}) => {
  for (const [options, query] of [
    [folder, ''],
    [bare, '?from=a-friend'],
  ] as const) {
    const host = await serve(options);
    const page = await visit(host);
    const job = smallJob({ seed: 5 });
    await page.openJob(job, query);
    await isolated(page);
    await page.reads(names.sharedHeading);
    await page.reads('3 steps of 1 image');
    expect(await page.tab.evaluate(() => location.pathname + location.search)).toBe(options.path + query);
    if (options !== folder) continue;
    await train(page);
    expect(readSafetensors(await page.saveAdapter()).tensors.size).toBe(2 * SMALL_LAYERS);
    const link = await page.copyLink();
    expect(link.startsWith(host.url)).toBe(true);
    expect(await decodeLink(new URL(link).hash)).toEqual(job);
  }
});

test('a damaged link is refused in words, on a first visit, too @hosts', async ({ serve, visit }) => {
  const page = await visit(await serve(bare));
  await page.open((await encodeLink(smallJob())).slice(0, 60));
  await isolated(page);
  await page.reads(/damaged/);
});

test('over plain http it works with what is there, and says why it is slow @hosts', async ({
  serve,
  visit,
}) => {
  const page = await visit(await serve({ ...bare, name: 'plain.test' }));
  const job = smallJob({ seed: 2 });
  await page.openJob(job);
  expect(await page.tab.evaluate(() => isSecureContext)).toBe(false);
  await page.reads(/CPU, one thread[^]*plain http[^]*https/);
  await train(page);
  expect(readSafetensors(await page.saveAdapter()).tensors.size).toBe(2 * SMALL_LAYERS);
  expect(await decodeLink(new URL(await page.copyLink()).hash)).toEqual(job);
  await page.open('#/about');
  await page.reads(/could have changed it[^]*only in part[^]*https/);
});

test('threads are spoken of where they are real @webkit', async ({ engineName, serve }) => {
  test.skip(engineName !== 'webkit', 'the other browsers have shared memory wherever the page is isolated');
  const host = await serve(good);
  const engine = await start(engineName, false);
  try {
    const page = new RemotePage(engine, await engine.newTab(), host.url);
    await page.open();
    expect(await page.tab.evaluate(() => typeof SharedArrayBuffer)).toBe('undefined');
    await page.reads(/CPU, one thread[^]*share no memory/);
  } finally {
    await engine.close();
  }
});

test('a “?” says in the window what its word means, and is gone at the second press @webkit', async ({
  serve,
  visit,
}) => {
  const page = await visit(await serve(good));
  await page.open('#/new/language');
  await page.press('What is “Thoroughness”\\?');
  const { says } = wordOf('thoroughness');
  await page.reads(says.join(' '));
  const fits = await page.tab.evaluate(() => {
    const card = [...document.querySelectorAll('[role=note]')].find((each) => each.textContent !== '');
    const place = card?.getBoundingClientRect();
    const inside =
      place !== undefined &&
      Math.min(place.left, place.top) >= 0 &&
      place.width > 200 &&
      place.right <= innerWidth &&
      place.bottom <= innerHeight;
    return inside ? 'inside' : `${JSON.stringify(place)} of ${innerWidth} × ${innerHeight}`;
  });
  expect(fits).toBe('inside');
  await page.press('What is “Thoroughness”\\?');
  await page.until('No words any more', async () => !(await page.text()).includes(says[0]), 30);
});
