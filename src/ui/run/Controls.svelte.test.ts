/** @file What can be pressed while a stopped run draws and judges once more. */
import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { open, violations } from '../testing/open.ts';

it('a stopped run that still draws says so, and can be finished without', async () => {
  const job = { ...fakeJob, train: { ...fakeJob.train, steps: 30_000 } };
  const { lab, trainer } = await open({ pace: 20 }, job);
  void lab.training.start();
  await expect.poll(() => lab.run.step).toBeGreaterThan(1);
  const stop = vi.spyOn(trainer, 'stop').mockResolvedValue();
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await expect.element(page.getByText('Stopping after this step')).toBeVisible();
  lab.run.accept({ kind: 'phase', phase: 'sampling', done: 3, total: 8 });
  await expect.element(page.getByText(/: 3 of 8$/)).toBeVisible();
  expect(await violations()).toEqual([]);
  await page.getByRole('button', { name: 'Finish without this' }).click();
  expect(stop).toHaveBeenCalledTimes(2);
  stop.mockRestore();
  await lab.training.stop();
  await expect.poll(() => lab.run.busy).toBe(false);
});
