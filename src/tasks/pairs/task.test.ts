import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { pngDecoder } from '#src/tasks/images/testing/host.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { task } from './task.ts';

describe('the built-in examples', () => {
  // The other by way of the page: e2e/specs/tasks.spec.ts.
  it.each(['moonlight', 'sepia'].slice(0, depth(1, 2)))(
    'learn %s from grey: 10 dB more on pictures held out',
    async (name) => {
      const { before, after, samplesAfter, troubles } = await trainTask({
        task,
        model: diskFiles('public/models/repaint'),
        train: diskFiles(`public/data/${name}/train`),
        heldout: diskFiles(`public/data/${name}/heldout`),
        job: testJob('pairs', { loss: 'l1' }, { train: { steps: 80 }, data: { flip: true } }),
        plan: { ...defaultSettings, rules: [] },
        learningRate: 0.01,
        decodeImage: pngDecoder(),
      });
      expect(after.metrics[0]!.value).toBeGreaterThan(before.metrics[0]!.value + 10);
      expect(after.loss!).toBeLessThan(0.25 * before.loss!);
      expect(troubles).toEqual([]);
      expect(samplesAfter.pictures[0]).toMatchObject({ width: 3 * 32 + 2 * 2, height: 32 });
    },
  );
});
