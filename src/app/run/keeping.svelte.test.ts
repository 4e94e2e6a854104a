/** @file Ending a run that stands still, paused or failed, with what it learned up to its last saved step. */
import { expect, it } from 'vitest';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { FakeTrainer, type FakeOptions } from '../testing/fakeTrainer.ts';
import { Lab } from '../lab.svelte.ts';

const job = { ...fakeJob, train: { ...fakeJob.train, steps: 8 }, sample: { ...fakeJob.sample, every: 4 } };

function setUp(options: FakeOptions = {}) {
  const trainer = new FakeTrainer({ pace: 1, ...options });
  return { trainer, lab: new Lab(trainer, job) };
}

/** A run that failed at step 6, whose last saved step is 4. */
async function failed() {
  const opened = setUp({ failAt: 6 });
  await opened.lab.training.start();
  await expect.poll(() => opened.lab.library.runs?.[0]?.state).toBe('failed');
  return opened;
}

it('a failed run is over at its last saved step, and its result is shown', async () => {
  const { lab } = await failed();
  expect([lab.run.status, lab.run.standsStill]).toEqual(['failed', true]);
  const outcome = await lab.training.keep();
  expect(outcome.ok && outcome.value.summary).toMatchObject({ state: 'stopped', finished: true, step: 4 });
  expect([lab.screen, lab.run.status, lab.run.problem]).toEqual(['result', 'done', null]);
  expect(lab.voice.text).toBe('Stopped at step 4, and kept.');
  await expect.poll(() => lab.library.runs?.[0]).toMatchObject({ state: 'stopped', step: 4 });
  expect(lab.training.keeping).toBe(false);
});

it('a paused run is over, too', async () => {
  const { lab } = setUp({ pace: 10 });
  const going = lab.training.start();
  await expect.poll(() => lab.run.step).toBeGreaterThan(0);
  await lab.training.pause();
  await going;
  const at = lab.run.step;
  expect((await lab.training.keep()).ok).toBe(true);
  expect([lab.screen, lab.run.status, lab.run.total]).toEqual(['result', 'done', 8]);
  await expect.poll(() => lab.library.runs?.[0]).toMatchObject({ state: 'stopped', step: at });
});

it('from the list it is opened for that, after a reload, too', async () => {
  const { trainer, lab } = await failed();
  const later = new Lab(trainer, job);
  await later.library.refresh();
  await later.keepRun(later.library.find(lab.run.id)!);
  expect([later.screen, later.run.status]).toEqual(['result', 'done']);
  expect((await trainer.runs())[0]).toMatchObject({ state: 'stopped', step: 4 });
});

it('what cannot be read stays as it is, and why is said of that run alone', async () => {
  const { trainer, lab } = await failed();
  const problem = { code: 'storage', message: 'It cannot be read.' } as const;
  trainer.keepRun = async () => ({ ok: false, problem });
  expect(await lab.training.keep()).toEqual({ ok: false, problem });
  expect([lab.run.status, lab.training.unkept]).toEqual(['failed', problem]);
  expect((await trainer.runs())[0]).toMatchObject({ state: 'failed' });
  await lab.training.start();
  expect(lab.training.unkept).toBeNull();
});

it('a run that goes on is not ended so', async () => {
  const { lab } = setUp({ pace: 10 });
  const going = lab.training.start();
  await expect.poll(() => lab.run.step).toBeGreaterThan(0);
  const outcome = await lab.training.keep();
  expect(!outcome.ok && outcome.problem.code).toBe('busy');
  await lab.training.stop();
  await going;
});
