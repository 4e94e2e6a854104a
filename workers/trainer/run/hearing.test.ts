/** @file A stop is heard, and a sign of life goes out, in the midst of drawing and judging, which on the CPU are one run after another. */
import 'fake-indexeddb/auto';
import { expect, it } from 'vitest';
import { Lab, tinyJob, tinyRequest, value } from '../testing/sessions.ts';

it('a stop is heard between the runs of a sample', async () => {
  const session = new Lab('hearing').newSession();
  const request = tinyRequest({ sample: { ...tinyJob.sample, prompts: ['ghost'], steps: 1000, every: 0 } });
  const ended: Promise<void>[] = [];
  let drawn = 0;
  const result = await session.start(request, (event) => {
    if (event.kind !== 'phase' || event.phase !== 'sampling') return;
    drawn = event.done ?? 0;
    // As the page's own words come: in a task of their own.
    if (ended.length === 0) ended.push(new Promise((resolve) => setTimeout(() => resolve(session.stop()))));
  });
  await Promise.all(ended);
  expect(value(result)).toMatchObject({ outcome: 'stopped', step: 1 });
  expect(drawn).toBeGreaterThan(0);
  expect(drawn).toBeLessThan(1000);
});
