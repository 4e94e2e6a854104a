/** @file Whatever a second tab does while a run trains in the first: the run and what is kept of it are as if there were no other tab. */
import { createHash } from 'node:crypto';
import type { BrowserContext, Page } from '@playwright/test';
import { expect, test } from '../pages/test.ts';
import { crash } from './endings.ts';
import { adapter, forget, JOB, open, savedAfter, savedStep, train } from './longRun.ts';
import { actions } from './secondTab.ts';
import { Tally } from './tally.ts';

/** Long enough for several actions. */
const STEPS = 600;
const LONG = JOB.replace(/steps = \d+/, `steps = ${STEPS}`);

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What a run came to: its outcome and losses, its adapter, and the record of it but for names and times. */
async function all(page: Page, outcome: unknown): Promise<unknown> {
  expect(outcome).toMatchObject({ ok: true, value: { outcome: 'finished', step: STEPS } });
  const { value } = outcome as { value: { history: { step: number; loss: number }[] } };
  const record = await page.evaluate(async () => {
    const { id, savedAt, startedAt, ...rest } = (await globalThis.rotune!.lastRun())!;
    return { ...rest, named: [id, savedAt, startedAt].every(Boolean) };
  });
  return {
    record,
    losses: sha(JSON.stringify(value.history.map(({ step, loss }) => [step, loss]))),
    adapter: await adapter(page),
  };
}

async function alone(context: BrowserContext): Promise<unknown> {
  const page = await open(context);
  const seen = await all(page, await train(page, false, LONG));
  await forget(page);
  await page.close();
  return seen;
}

test('what a second tab does', async ({ context }) => {
  const tally = new Tally({
    kind: 'Second tab',
    fault: 'Start over, delete, rename, put back, save, go on, free room, two starts at once …',
    outcome: 'Refused, or done without harm: the run in the first tab ends as if it were alone',
  });
  const expected = await alone(context);
  let left = Object.entries(actions);
  while (left.length > 0) {
    const first = await open(context);
    const training = { over: false };
    const ended = train(first, false, LONG).finally(() => (training.over = true));
    await savedAfter(first, 0);
    /** What was done while it trained, and what went wrong with it. */
    const done = new Map<string, Error | null>();
    for (const [name, act] of left) {
      const second = await open(context);
      second.setDefaultTimeout(60_000);
      const problem = await act(second).then(
        () => null,
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      );
      await second.close();
      // Not while it trained: once more in the next run.
      if (training.over) break;
      done.set(name, problem);
    }
    expect(done.size, 'actions while it trained').toBeGreaterThan(0);
    const outcome = await ended;
    const seen = await all(first, outcome).catch((error: unknown) => error);
    for (const [name, problem] of done)
      await tally.try(name, async () => {
        expect(seen).toEqual(expected);
        if (problem !== null) throw problem;
        return Promise.resolve();
      });
    left = left.filter(([name]) => !done.has(name));
    await forget(first);
    await first.close();
  }
  expect(tally.broken).toEqual([]);
});

test('what a second tab says of the first', async ({ context }) => {
  const tally = new Tally({
    kind: 'Second tab',
    fault: 'The first tab, which trains, is closed or crashes',
    outcome: '“Rotune is training in another tab” goes, and the run can be gone on with here',
  });
  for (const [how, end] of [
    ['closed', (page: Page) => page.close()],
    ['crashed', crash],
  ] as const)
    for (let i = 1; i <= 3; i++) {
      const first = await open(context);
      const second = await open(context);
      await tally.try(`${how} ${i}`, async () => {
        void train(first, false, LONG);
        const notice = second.getByText('Rotune is training in another tab');
        await expect(notice).toBeVisible();
        await savedAfter(first, 0);
        await end(first);
        await expect(notice).toBeHidden();
        const step = await savedStep(second);
        await second.reload();
        await second.getByRole('button', { name: `Continue from step ${step}` }).click();
        await savedAfter(second, step);
      });
      await second.close();
      await first.close();
      const page = await open(context);
      await forget(page);
      await page.close();
    }
  expect(tally.broken).toEqual([]);
});

test('two tabs that start at the same moment', async ({ context }) => {
  const tally = new Tally({
    kind: 'Second tab',
    fault: 'Two tabs start at the same moment',
    outcome: 'One trains as if it were alone, the other is refused',
  });
  const short = JOB.replace(/steps = \d+/, 'steps = 20');
  const refused = { ok: false, problem: { code: 'another-tab' } };
  const tabs = [await open(context), await open(context)] as const;
  await train(tabs[0], false, short);
  const expected = await adapter(tabs[0]);
  await forget(tabs[0]);
  for (let i = 1; i <= 5; i++)
    await tally.try(`together ${i}`, async () => {
      const outcomes = await Promise.all(tabs.map((tab) => train(tab, false, short)));
      const winner = outcomes.findIndex((outcome) => outcome !== 'killed' && outcome.ok);
      expect(outcomes[1 - winner]).toMatchObject(refused);
      expect(await adapter(tabs[winner]!)).toBe(expected);
      await forget(tabs[winner]!);
      expect(await savedStep(tabs[0])).toBe(0);
    });
  expect(tally.broken).toEqual([]);
});
