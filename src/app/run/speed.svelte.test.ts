import { expect, it } from 'vitest';
import { defaultJob } from '#src/formats/jobs/job.ts';
import { FakeTrainer } from '../testing/fakeTrainer.ts';
import { median } from './median.ts';
import { DeviceSpeed, figuresOf } from './speed.svelte.ts';

it('finds the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});

it('compares a step with the pass next to it, so that a slow moment counts for both', () => {
  const figures = figuresOf({
    forward: { nodes: 1, ms: [10, 100, 10] },
    step: { nodes: 1, ms: [20, 200, 30] },
  });
  expect(figures).toEqual({
    forward: 10,
    step: 30,
    ratio: 2,
    spread: { forward: [10, 100], step: [20, 200] },
  });
});

it('measures the built-in model when asked, one time after the other', async () => {
  const speed = new DeviceSpeed(new FakeTrainer(), defaultJob);
  expect(speed.speed).toBeNull();
  const first = speed.measure('auto');
  expect(speed.measuring).toBe(true);
  await speed.measure('auto');
  expect(speed.measuring).toBe(true);
  await first;
  expect(speed.measuring).toBe(false);
  expect(speed.speed?.step.ms).toHaveLength(3);
});

it('says what went wrong, and nothing of what a person gave up', async () => {
  const trainer = new FakeTrainer();
  const speed = new DeviceSpeed(trainer, defaultJob);
  const fail = (code: string) => {
    trainer.measure = () =>
      Promise.resolve({ ok: false as const, problem: { code, message: 'No.' } }) as never;
  };
  fail('busy');
  await speed.measure('auto');
  expect(speed.problem?.code).toBe('busy');
  fail('cancelled');
  await speed.measure('auto');
  expect(speed.problem).toBeNull();
});
