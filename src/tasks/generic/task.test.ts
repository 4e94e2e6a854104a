import { describe, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { task } from './task.ts';

describe('the built-in examples', () => {
  it.each(['turned-waves', 'waves-aside'])(
    '%s are learned: a twentieth of the squared error',
    async (name) => {
      const { before, after, samplesAfter, troubles } = await trainTask({
        task,
        model: diskFiles('public/models/waves'),
        train: diskFiles(`public/data/${name}/train`),
        heldout: diskFiles(`public/data/${name}/heldout`),
        job: testJob('generic', { loss: 'mse', order: 'shuffled' }, { train: { steps: 200, batch: 32 } }),
        plan: { ...defaultSettings, blocks: { size: 16, fit: 'nearest' }, rules: [] },
        learningRate: 0.003,
      });
      expect(after.loss!).toBeLessThan(0.05 * before.loss!);
      expect(troubles).toEqual([]);
      expect(samplesAfter.texts).toHaveLength(4);
    },
  );
});
