import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { pngDecoder } from '#src/tasks/images/testing/host.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { info } from './info.ts';
import { task } from './task.ts';

describe('the built-in examples', () => {
  // The other by way of the page: e2e/specs/tasks.spec.ts.
  it.each(
    [
      ['three signs', 'signs'] as const,
      ['three shapes that the model has never seen', 'new-shapes'] as const,
    ].slice(0, depth(1, 2)),
  )('learn %s: of 36 pictures held out 85 % and more are named', async (_, name) => {
    const { steps, batch, learning_rate } = info.examples.find(({ id }) => id === name)!.job[
      'train'
    ] as Record<string, number>;
    const result = await trainTask({
      task,
      model: diskFiles('public/models/shapes'),
      train: diskFiles(`public/data/${name}/train`),
      heldout: diskFiles(`public/data/${name}/heldout`),
      job: testJob(
        'image-classification',
        { normalise: 'half' },
        { train: { steps: steps!, batch: batch! }, data: { flip: true } },
      ),
      plan: { ...defaultSettings, rules: [] },
      learningRate: learning_rate!,
      decodeImage: pngDecoder(),
    });
    const accuracy = (e: typeof result.before) => e.metrics.find((m) => m.name === 'accuracy')!.value;
    expect(result.layout.whole.map((w) => w.shape)).toEqual([[3, 48], [3]]);
    expect(accuracy(result.after)).toBeGreaterThanOrEqual(0.85);
    expect(result.after.loss!).toBeLessThan(0.5 * result.before.loss!);
    expect(result.troubles).toEqual([]);
  });
});
