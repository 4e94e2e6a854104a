/** @file Every state of every view in each light and at each width: what axe says, and whether anything is wider than the window. */
import { afterEach, expect, inject, it } from 'vitest';
import type {} from '@vitest/browser-playwright';
import { cdp, page } from 'vitest/browser';
import { defaultJob } from '#src/formats/jobs/job.ts';
import { open, violations } from './open.ts';
import { until } from './stage.ts';
import { reachState, states } from './states.ts';

const LOOKS = [
  { width: 390, scheme: 'dark' },
  { width: 1440, scheme: 'light' },
  // What the first two leave is seldom broken alone: in a sweep.
  ...(inject('sweep')
    ? [
        { width: 390, scheme: 'light' },
        { width: 820, scheme: 'light' },
        { width: 820, scheme: 'dark' },
        { width: 1440, scheme: 'dark' },
      ]
    : []),
];

const look = (width: number, scheme: string) =>
  Promise.all([
    page.viewport(width, 900),
    cdp().send('Emulation.setEmulatedMedia', {
      features: [
        { name: 'prefers-color-scheme', value: scheme },
        // A colour on its way from one scheme to the other is of neither.
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ],
    }),
  ]);

afterEach(async () => {
  await cdp().send('Emulation.setEmulatedMedia', { features: [] });
  await page.viewport(1280, 720);
});

it.each(Object.entries(states))('%s', async (name, { options, job = defaultJob, narrow }) => {
  await look(narrow ? 390 : 1440, 'light');
  const stage = await open(options, job);
  await reachState(name, stage);
  const found: string[] = [];
  for (const { width, scheme } of LOOKS) {
    if (narrow && width > 390) continue;
    await look(width, scheme);
    const where = `${width} px, ${scheme}`;
    found.push(...(await violations()).map((each) => `${where}: ${each}`));
    const over = document.documentElement.scrollWidth - innerWidth;
    if (over > 0) found.push(`${where}: wider than the window by ${over} px`);
  }
  if (stage.lab.run.busy) {
    // One run at a time: the next state could not begin its own.
    await stage.lab.training.stop();
    await until('the end', () => !stage.lab.run.busy);
  }
  expect(found).toEqual([]);
});
