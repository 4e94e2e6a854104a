/** @file A cancel is heard in the midst of a large text, and the page trains a small one after it. */
import type { Page } from '@playwright/test';
import { depth } from '../pages/depth.ts';
import { expect, test } from '../pages/test.ts';

const job = `
  task = "language"
  model = "builtin:stories"
  [data]
  train = "texts"
  heldout = ""
  split = 0
  [train]
  steps = 2
  batch = 1
  warmup = 0
  [sample]
  prompts = ["the cat"]
  every = 0
`;

declare global {
  /** What comes of the run that was begun. */
  var begun: Promise<unknown> | undefined;
}

/** Begins a run on a list of so many texts, and does not wait for it. */
const begin = (page: Page, texts: number): Promise<void> =>
  page.evaluate(
    ([toml, count]) => {
      const sentence = 'the cat and the captain found a map of the island, and they went to sea';
      const list = Array.from({ length: count }, (_, i) => `${sentence} ${i}`);
      const blob = new Blob([JSON.stringify(list)]);
      const train = { name: 'texts', files: [{ path: 'texts.json', blob }] };
      globalThis.begun = globalThis.rotune!.run({ job: toml, backend: 'wasm', train });
    },
    [job, texts] as const,
  );
const ended = (page: Page): Promise<unknown> => page.evaluate(() => globalThis.begun);

/** Texts in 40 MB. */
const MANY = 500_000;
/** What the page says when the cancel comes. */
const MOMENTS = { read: /^Preparing the data/, tokenised: /^Preparing the data: [1-9]\d{3,} of/ } as const;
const chosen = depth(['read'] as const, ['read', 'tokenised'] as const);

for (const moment of chosen)
  test(`40 MB of texts are cancelled while they are ${moment}, and a small text is learned after it`, async ({
    rotune,
    page,
  }) => {
    await rotune.open();
    await begin(page, MANY);
    await expect(page.getByText(MOMENTS[moment])).toBeVisible({ timeout: 120_000 });
    const worker = page.workers().find((each) => each.url().includes('trainer'));
    const asked = performance.now();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    expect(await ended(page)).toMatchObject({ ok: false, problem: { code: 'cancelled' } });
    const took = `${Math.round(performance.now() - asked)} ms, worker ${page.workers().includes(worker!) ? 'kept' : 'ended'}`;
    test.info().annotations.push({ type: 'cancelled after', description: took });
    await expect(page.getByRole('button', { name: 'Cancel', exact: true })).toHaveCount(0);
    await begin(page, 20);
    expect(await ended(page)).toMatchObject({ ok: true, value: { outcome: 'finished', step: 2 } });
  });
