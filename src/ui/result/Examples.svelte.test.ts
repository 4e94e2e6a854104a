/** @file Held-out examples at the result of a classifier: all of them, the wrong ones first, each picture beside what is said of it. */
import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import type { FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import type { JudgedExample } from '#workers/protocol.ts';
import { open, violations } from '../testing/open.ts';

const ALL = 60;
/** As a task gives them: the wrong ones first. */
const examples = Array.from({ length: ALL }, (_, i): JudgedExample => ({
  ...{ name: `fox/${i}.png`, is: 'fox', share: 0.9 },
  says: i < 2 ? 'owl' : 'fox',
}));
const says: FakeOptions['says'] = {
  prompts: ['fox/0.png'],
  words: () => 'owl 90 %',
  judged: () => ({ examples }),
};

async function result(task: string) {
  const opened = await open({ says });
  opened.lab.draft.setJob(jobFromTable({ task, train: { steps: 4 }, sample: { every: 0 } }));
  await opened.lab.training.start();
  return { ...opened, held: page.getByRole('region', { name: 'Held-out examples' }) };
}

it('of pictures are listed with them, a page at a time, and all of them in the end', async () => {
  const { held } = await result('image-classification');
  const items = held.getByRole('listitem');
  await expect.poll(() => items.elements().length).toBe(24);
  await expect.element(held.getByText(/2 wrong/)).toBeVisible();
  await expect.element(items.first().getByRole('img', { name: 'Wrong' })).toBeVisible();
  await expect.element(items.first()).toHaveTextContent(/is fox, says owl 90/);
  await expect.poll(() => held.element().querySelectorAll('canvas').length).toBe(24);
  expect(await violations()).toEqual([]);

  await held.getByRole('button', { name: 'Show 24 more' }).click();
  await expect.poll(() => items.elements().length).toBe(48);
  await held.getByRole('button', { name: 'Show 12 more' }).click();
  await expect.poll(() => items.elements().length).toBe(ALL);
  await expect.poll(() => held.element().querySelectorAll('canvas').length).toBe(ALL);
  expect(held.getByRole('button').elements()).toHaveLength(0);
});

it('of texts are listed without pictures', async () => {
  const { held } = await result('text-classification');
  await held.getByRole('button', { name: `Show all ${ALL}` }).click();
  await expect.poll(() => held.getByRole('listitem').elements().length).toBe(ALL);
  expect(held.element().querySelectorAll('canvas')).toHaveLength(0);
});
