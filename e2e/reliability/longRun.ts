/** @file A run that is cheap by the step and long enough to be cut off again and again, driven in any tab of a browser. */
import { type BrowserContext, expect, type Page } from '@playwright/test';
import { createHash } from 'node:crypto';
import type { Tally } from './tally.ts';

/** Updates: more than are made between all of a run's faults, and few enough to be waited for. */
export const STEPS = 400;

/** A small net on built-in arrays, with everything that a run draws by chance: shuffled rows, several batches a step, held-out ones. Saved at every step. */
export const JOB = `
task = "generic"
model = "builtin:waves"
[data]
train = "builtin:turned-waves/train"
heldout = "builtin:turned-waves/heldout"
[train]
steps = ${STEPS}
batch = 32
accumulate = 16
learning_rate = 0.003
schedule = "cosine"
checkpoint_steps = 1
[plan]
blocks = { size = 16, fit = "nearest" }
[sample]
every = 100
[options]
order = "shuffled"
`;

/** Opens a page that can be driven, in a tab of its own. */
export async function open(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto('/?threads=1');
  await page.waitForFunction(() => globalThis.rotune !== undefined);
  return page;
}

/** Starts the run, or goes on with it, to its end; 'killed' where the page goes before. */
export const train = (page: Page, resume: boolean, job = JOB) =>
  page
    .evaluate(([given, go]) => globalThis.rotune!.run({ job: given, backend: 'wasm', resume: go }), [
      job,
      resume,
    ] as const)
    .catch(() => 'killed' as const);

/** Updates that are saved of the newest run. */
export const savedStep = (page: Page): Promise<number> =>
  page.evaluate(() => globalThis.rotune!.lastRun().then((run) => run?.step ?? 0));

/** Waits for a checkpoint that is newer than that of `step`. */
export const savedAfter = (page: Page, step: number): Promise<void> =>
  expect.poll(() => savedStep(page), { timeout: 120_000, intervals: [50] }).toBeGreaterThan(step);

/** Removes the newest run. */
export const forget = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const run = await globalThis.rotune!.lastRun();
    if (run) await globalThis.rotune!.discard(run.id);
  });

/** SHA-256 of the newest run's adapter. */
export async function adapter(page: Page): Promise<string> {
  const hex = await page.evaluate(async () => {
    const file = await globalThis.rotune!.export();
    if (!file.ok) throw new Error(file.problem.message);
    return Array.from(file.value.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  });
  return createHash('sha256').update(hex).digest('hex');
}

/** Trains, or goes on with the run, to its end. @returns the adapter's SHA-256 */
export async function finish(page: Page, resume: boolean): Promise<string> {
  expect(await train(page, resume)).toMatchObject({ ok: true, value: { outcome: 'finished', step: STEPS } });
  return adapter(page);
}

/** The same of a run that nothing happens to. */
export async function undisturbed(context: BrowserContext): Promise<string> {
  const page = await open(context);
  const bytes = await finish(page, false);
  await forget(page);
  await page.close();
  return bytes;
}

/** Counts what was done to one run: all of it held if the run ends as it must. */
export async function judge(
  tally: Tally,
  faults: readonly string[],
  end: () => Promise<void>,
): Promise<void> {
  const ended = end();
  ended.catch(() => undefined);
  for (const fault of faults) await tally.try(fault, () => ended);
}
