/** @file Training workers that die or get stuck: the run goes on by itself, to the same bytes. */
import { DEATHS } from '../pages/deaths.ts';
import { expect, test } from '../pages/test.ts';
import { adapter, forget, judge, open, savedAfter, savedStep, STEPS, train, undisturbed } from './longRun.ts';
import { Tally } from './tally.ts';

const NAMES = Object.keys(DEATHS) as (keyof typeof DEATHS)[];
/** Three deaths each: more within five minutes, and a person is asked. */
const RUNS = 7;

test('a worker that dies', async ({ context }) => {
  const tally = new Tally({
    kind: 'Killed',
    fault: 'The training worker closes, throws or gets stuck',
    outcome: 'The run goes on by itself from the last saved step; the adapter is the same to the byte',
  });
  const expected = await undisturbed(context);
  for (let run = 0; run < RUNS; run++) {
    // Each kind is the first once in a while.
    const names = NAMES.map((_, i) => NAMES[(run + i) % NAMES.length]!);
    const page = await open(context);
    await judge(
      tally,
      names.map((name) => `run ${run + 1}, ${name}`),
      async () => {
        const ended = train(page, false);
        let saved = 0;
        for (const name of names) {
          await savedAfter(page, saved);
          await page.waitForTimeout(Math.random() * 300);
          const worker = page.workers().find((each) => each.url().includes('trainer'))!;
          const gone = worker.waitForEvent('close', { timeout: 60_000 });
          // Nobody answers any more.
          void worker.evaluate(DEATHS[name]).catch(() => undefined);
          await gone;
          saved = await savedStep(page);
        }
        expect(await ended).toMatchObject({ ok: true, value: { outcome: 'finished', step: STEPS } });
        expect(await adapter(page)).toBe(expected);
      },
    );
    await forget(page);
    await page.close();
  }
  expect(tally.broken).toEqual([]);
});
