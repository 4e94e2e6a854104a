/** @file The learning rate changed on the page, while it trains and in a pause. */
import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { open, violations } from '../testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 1000 }, sample: { ...fakeJob.sample, every: 0 } };

it('holds from the next step on, is said and listed, and goes on after a pause', async () => {
  const { lab } = await open({ pace: 20 }, job);
  const opened = lab.training.start();
  await page.getByText('Change the learning rate').click();
  await page.getByRole('button', { name: '× 0.3' }).click();
  await expect.element(page.getByText(/Learning rate × 0.3 from step \d+ on/)).toBeVisible();
  await expect.element(page.getByRole('button', { name: '× 0.3' })).toHaveAttribute('aria-pressed', 'true');
  expect(lab.voice.text).toMatch(/The learning rate is multiplied by 0.3 from step/);
  expect(lab.log.events.map(({ words }) => words).join()).toMatch(/learning rate × 0.3 from step/);
  await lab.training.pause();
  await opened;
  await page.getByRole('spinbutton', { name: 'Learning rate ×' }).fill('2.5');
  await page.getByRole('button', { name: 'Set' }).click();
  const { step } = lab.run;
  await expect.element(page.getByText(`Learning rate × 2.5 from step ${step} on`)).toBeVisible();
  expect(await violations()).toEqual([]);
  const [first] = lab.run.rates;
  const before = [...lab.run.records].find((record) => record.step === first!.step)!;
  expect(before.learningRate).toBeCloseTo(
    0.3 * job.train.learningRate * Math.cos((before.step + 1) / 1000),
    9,
  );
  await lab.library.refresh();
  const summary = lab.library.unfinished!;
  expect(summary.rates).toEqual(lab.run.rates);
});
