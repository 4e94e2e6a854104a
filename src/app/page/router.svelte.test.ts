/** @file Views and addresses keep in step: ours by buttons, the user's by back, reload and typing. */
import { expect, it } from 'vitest';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { encodeLink } from '#src/formats/jobs/link.ts';
import { Lab } from '../lab.svelte.ts';
import { FakeTrainer } from '../testing/fakeTrainer.ts';
import { MemoryBar } from './router.svelte.ts';

function open(hash = '') {
  const bar = new MemoryBar();
  bar.replace(hash);
  const lab = new Lab(new FakeTrainer({ pace: 1 }), fakeJob, bar);
  lab.begin();
  return { bar, lab };
}

it('gives each view an address, and goes back by it', () => {
  const { bar, lab } = open();
  lab.go('new');
  expect(bar.hash).toBe(`#/new/${fakeJob.task}`);
  lab.go('model');
  expect(bar.hash).toBe('#/model');
  bar.back();
  expect(lab.screen).toBe('new');
  bar.back();
  expect(lab.screen).toBe('home');
});

it('opens a bookmark of a task, and goes home from one of no task', () => {
  expect(open('#/new/language').lab.draft.task.id).toBe('language');
  const { bar, lab } = open('#/new/astrology');
  expect([lab.screen, bar.hash]).toEqual(['home', '#/']);
});

it('keeps the job that is being made when its own view is come back to', () => {
  const { bar, lab } = open();
  lab.go('new');
  lab.draft.setJob({ ...lab.draft.job, train: { ...lab.draft.job.train, steps: 7 } });
  lab.go('model');
  bar.back();
  expect(lab.draft.job.train.steps).toBe(7);
});

it('shows the run while it trains and then its result, which back does not lead into again', async () => {
  const { bar, lab } = open();
  const begun: string[] = [];
  await lab.training.start({ onEvent: () => begun.push(bar.hash) });
  expect(begun[0]).toMatch(/^#\/run\/.+/);
  expect(bar.hash).toBe(`#/result/${lab.run.id}`);
  bar.back();
  expect(lab.screen).toBe('home');
});

it('keeps the address of a shared job, and forgets the job in other views', async () => {
  const link = await encodeLink(fakeJob);
  const { bar, lab } = open(link);
  await expect.poll(() => lab.shared.job?.train.steps).toBe(fakeJob.train.steps);
  expect(bar.hash).toBe(link);
  lab.go('new');
  expect(lab.shared.job).toBeNull();
  bar.back();
  await expect.poll(() => lab.shared.job).not.toBeNull();
});

it('says why a link cannot be read, each time another one comes', async () => {
  const { bar, lab } = open('#v1:damaged');
  await expect.poll(() => lab.shared.problem).not.toBeNull();
  bar.type(await encodeLink(fakeJob));
  await expect.poll(() => lab.shared.job).not.toBeNull();
  expect(lab.shared.problem).toBeNull();
});
