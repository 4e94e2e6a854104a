/** @file Before a saved run goes on with something else than before, a person is asked. */
import { expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import type { Difference } from '#workers/protocol.ts';
import { open, violations } from '../testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 8 }, sample: { ...fakeJob.sample, every: 2 } };
const differences: readonly Difference[] = [
  { what: 'threads', was: '2', is: '4' },
  { what: 'rotune', was: '0.1.0 (a)', is: '0.1.0 (b)' },
];

async function paused(otherwise: readonly Difference[]) {
  const { lab } = await open({ differences: otherwise }, job);
  void lab.training.start({ onEvent: (event) => event.kind === 'checkpoint' && void lab.training.pause() });
  await expect.poll(() => lab.run.status).toBe('paused');
  const on = page.getByRole('button', { name: `Continue from step ${lab.run.step}` });
  await expect.element(on).toBeVisible();
  return { lab, on };
}
const dialog = page.getByRole('dialog', { name: 'Go on with something else than before?' });

it('asks, leaves the run as it is where the answer is no, and goes on where it is yes', async () => {
  const { lab, on } = await paused(differences);
  const { step } = lab.run;
  await on.click();
  await expect.element(dialog).toBeVisible();
  expect(await violations()).toEqual([]);
  await expect.element(dialog).toHaveTextContent(`From step ${step} on`);
  await expect.element(dialog).toHaveTextContent('threads 4, before 2');
  await expect.element(dialog).toHaveTextContent('Rotune 0.1.0 (b), before 0.1.0 (a)');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect.element(dialog).not.toBeInTheDocument();
  expect([lab.run.status, lab.run.step]).toEqual(['paused', step]);

  await on.click();
  await expect.element(dialog).toBeVisible();
  await userEvent.keyboard('{Escape}');
  await expect.element(dialog).not.toBeInTheDocument();
  expect(lab.run.status).toBe('paused');

  await on.click();
  await dialog.getByRole('button', { name: 'Go on anyway' }).click();
  await expect.poll(() => lab.run.status).toBe('done');
});

it('asks nothing where nothing is otherwise', async () => {
  const { lab, on } = await paused([]);
  await on.click();
  await expect.poll(() => lab.run.status).toBe('done');
  await expect.element(dialog).not.toBeInTheDocument();
});
