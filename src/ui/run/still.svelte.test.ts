/** @file What can be done with a run that stands still: kept without training on, or gone back to an earlier step of. */
import { expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { open, violations } from '../testing/open.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 40 }, sample: { ...fakeJob.sample, every: 2 } };

async function paused() {
  const opened = await open({}, job);
  const { lab } = opened;
  void lab.training.start({
    onEvent: (event) => event.kind === 'checkpoint' && event.step === 6 && void lab.training.pause(),
  });
  await expect.poll(() => lab.run.status).toBe('paused');
  await expect.poll(() => lab.library.unfinished?.id).toBe(lab.run.id);
  return opened;
}

it('is kept from a pause: its result is there', async () => {
  const { lab, trainer } = await paused();
  const { id, step } = lab.run;
  await expect.element(page.getByRole('button', { name: `Continue from step ${step}` })).toBeVisible();
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await expect.poll(() => lab.screen).toBe('result');
  expect(lab.run.status).toBe('done');
  expect((await trainer.runs()).find((run) => run.id === id)).toMatchObject({ state: 'stopped', step });
});

it('goes back to an earlier step as a new run, and stays saved itself', async () => {
  const { lab, trainer } = await paused();
  const { id, step } = lab.run;
  const model = { kind: 'files', name: 'mine', files: [{ path: 'a.onnx', blob: new Blob(['x']) }] } as const;
  await lab.library.given.put(id, { model });
  await page.getByRole('combobox', { name: 'Go back to' }).selectOptions('4');
  expect(await violations()).toEqual([]);
  await page.getByRole('button', { name: 'Go back, as a new run' }).click();
  await expect.poll(() => lab.run.id).not.toBe(id);
  expect([lab.run.step, lab.run.status]).toEqual([4, 'paused']);
  expect(lab.run.records).toHaveLength(4);
  expect(lab.run.rows.at(-1)?.step).toBe(4);
  expect((await trainer.runs()).find((run) => run.id === id)).toMatchObject({ step, state: 'paused' });
  // Started from the same files: it can go on without asking for them.
  await expect.poll(async () => (await lab.library.given.get(lab.run.id)).sources.model?.name).toBe('mine');
  await lab.library.given.remove(lab.run.id);
  await page.getByRole('button', { name: 'Continue from step 4' }).click();
  await expect.poll(() => lab.run.status).toBe('done');
  expect(lab.run.step).toBe(40);
});
