/** @file Every state of every view in each light and at each width: what axe says, and whether anything is wider than the window. */
import { afterEach, expect, it } from 'vitest';
import type {} from '@vitest/browser-playwright';
import { cdp, page } from 'vitest/browser';
import { depth } from '#src/platform/testing/depth.ts';
import { defaultJob } from '#src/formats/jobs/job.ts';
import { open, violations } from './open.ts';
import { until } from './stage.ts';
import { reachState, states } from './states.ts';

const LOOKS = [390, 820, 1440].flatMap((width) => ['light', 'dark'].map((scheme) => ({ width, scheme })));
const QUICK = [
  { width: 390, scheme: 'dark' },
  { width: 1440, scheme: 'light' },
];
/** What is found in one look alone is left to the sweep: without it states take turns. */
const looksOf = (state: number) => depth([QUICK[state % 2]!], LOOKS);

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

it.each(Object.entries(states).map(([name, state], i) => [name, state, i] as const))(
  '%s',
  async (name, state, i) => {
    const { options, job = defaultJob, narrow = false } = state;
    await look(narrow ? 390 : 1440, 'light');
    const stage = await open(options, job);
    await reachState(name, stage);
    const found: string[] = [];
    for (const { width, scheme } of narrow ? LOOKS.slice(0, 2) : looksOf(i)) {
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
  },
);
