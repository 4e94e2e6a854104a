/** @file A tab that trains for 60,000 steps holds no more than one that trained for 10,000, but for its record. */
import type { CDPSession, Page } from '@playwright/test';
import { depth } from '../pages/depth.ts';
import { expect, test } from '../pages/test.ts';

const STEPS = 60_000;

/** Bytes in use once all garbage is gone: of objects, and of the arrays' contents. */
interface Live {
  readonly objects: number;
  readonly arrays: number;
}

type Ask = (method: string) => Promise<unknown>;

async function live(ask: Ask): Promise<Live> {
  await ask('HeapProfiler.collectGarbage');
  const usage = (await ask('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize: number };
  return { objects: usage.usedSize, arrays: usage.backingStorageSize };
}

/** Questions to the workers of a page: Playwright speaks to the page alone, and hands on what is for them as text. */
async function workersOf(cdp: CDPSession): Promise<Ask[]> {
  const found: string[] = [];
  const answers = new Map<number, (result: unknown) => void>();
  let serial = 0;
  cdp.on('Target.attachedToTarget', ({ sessionId }) => found.push(sessionId));
  cdp.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message) as { id?: number; result?: unknown };
    if (id !== undefined) answers.get(id)?.(result);
  });
  // Those that are there are told of before this is answered.
  await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  return found.map(
    (sessionId) => (method) =>
      new Promise((resolve) => {
        const id = ++serial;
        answers.set(id, resolve);
        void cdp.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) });
      }),
  );
}

async function measured(page: Page): Promise<{ readonly page: Live; readonly workers: readonly Live[] }> {
  const cdp = await page.context().newCDPSession(page);
  const workers = await workersOf(cdp);
  const own = await live((method) => cdp.send(method as 'HeapProfiler.collectGarbage'));
  const all: Live[] = [];
  for (const ask of workers) all.push(await live(ask));
  await cdp.detach();
  return { page: own, workers: all };
}

// A short run of the page and of the worker is measured among the unit tests.
if (depth(false, true))
  test(`holds after ${STEPS} steps what it held after ${STEPS / 6}, and a record of the steps`, async ({
    page,
  }) => {
    test.setTimeout(1_500_000);
    await page.goto('/?threads=1');
    await page.waitForFunction(() => globalThis.rotune !== undefined);
    const done = page.evaluate(async (steps) => {
      const outcome = await globalThis.rotune!.run(
        {
          backend: 'wasm',
          job: `task = "generic"\n[train]\nsteps = ${steps}\nbatch = 1\n[sample]\nevery = 0`,
        },
        (event) => {
          if (event.kind === 'steps') document.body.dataset['step'] = String(event.records.at(-1)!.step);
        },
      );
      return outcome.ok ? outcome.value.history.length : outcome.problem.message;
    }, STEPS);
    const at = (step: number) =>
      page.waitForFunction((least) => Number(document.body.dataset['step']) >= least, step, {
        ...{ polling: 200, timeout: 1_400_000 },
      });
    await at(STEPS / 6);
    const early = await measured(page);
    await at(0.97 * STEPS);
    const late = await measured(page);
    expect(await done).toBe(STEPS);

    expect([early.workers.length, late.workers.length]).toEqual([1, 1]);
    const pairs = [
      { name: 'page', from: early.page, to: late.page },
      { name: 'worker', from: early.workers[0]!, to: late.workers[0]! },
    ];
    for (const { name, from, to } of pairs) {
      // What the compiler and the chart come and go with. A record as objects would be 6 MB, a promise for each step as much.
      expect(to.objects - from.objects, `${name}: objects`).toBeLessThan(3e6);
      // The record's columns with room for as many again, and in the worker the copy in the newest checkpoint.
      expect(to.arrays - from.arrays, `${name}: arrays`).toBeLessThan(1e6 + STEPS * 3 * 7 * 8);
    }
  });
