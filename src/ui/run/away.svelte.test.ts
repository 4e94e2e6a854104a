/** @file A run whose tab is hidden: the title says how it ended, and a notification tells those who asked for one. */
import { afterEach, expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { open } from '../testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 3000 }, sample: { ...fakeJob.sample, every: 0 } };
const shown: unknown[] = [];

const FakeNotification = Object.assign(
  function (title: string, options: { body: string }) {
    shown.push([title, options.body]);
  },
  {
    permission: 'default',
    requestPermission: () => Promise.resolve((FakeNotification.permission = 'granted')),
  },
) as { permission: string; requestPermission: () => Promise<string> };

function look(hidden: boolean): void {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  document.dispatchEvent(new Event('visibilitychange'));
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  shown.length = 0;
  FakeNotification.permission = 'default';
});

it('tells those who asked for it', async () => {
  vi.stubGlobal('Notification', FakeNotification);
  const { lab } = await open({ pace: 20 }, job);
  const ended = lab.training.start();
  await page.getByRole('button', { name: 'Tell me when it is done' }).click();
  await expect.element(page.getByText(/A notification will tell you/)).toBeVisible();
  look(true);
  await lab.training.stop();
  await ended;
  lab.go('home');
  await expect.poll(() => document.title).toBe('Done · Rotune');
  expect(shown).toEqual([['Rotune', `Stopped at step ${lab.run.step}, and kept.`]]);
  look(false);
  // Someone is back: the title is the view's again.
  await expect.poll(() => document.title).toBe('Rotune');
});

it('does not offer what is denied, and still says it in the title', async () => {
  FakeNotification.permission = 'denied';
  vi.stubGlobal('Notification', FakeNotification);
  const { lab } = await open({ pace: 20, failAt: 200 }, job);
  const ended = lab.training.start();
  await expect.element(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  expect(page.getByRole('button', { name: 'Tell me when it is done' }).elements()).toEqual([]);
  look(true);
  await ended;
  await expect.poll(() => document.title).toBe('Stopped · Rotune');
  expect(shown).toEqual([]);
  look(false);
});
