import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { info } from './info.ts';
import { task } from './task.ts';

describe('the built-in examples', () => {
  // The other by way of the page: e2e/specs/tasks.spec.ts.
  it.each(
    [
      ['what they ask', 'questions', ['place', 'price', 'time']] as const,
      ['what writers want', 'letters', ['complaint', 'question', 'thanks']] as const,
    ].slice(0, depth(1, 2)),
  )(
    'learn %s from a model that knows topics: of 60 letters held out 90 % and more are sorted',
    async (_, name, labels) => {
      const { steps, batch, learning_rate } = info.examples.find(({ id }) => id === name)!.job[
        'train'
      ] as Record<string, number>;
      const result = await trainTask({
        task,
        model: diskFiles('public/models/topics'),
        train: diskFiles(`public/data/${name}/train`),
        heldout: diskFiles(`public/data/${name}/heldout`),
        job: testJob('text-classification', {}, { train: { steps: steps!, batch: batch! } }),
        plan: { ...defaultSettings, rules: [] },
        learningRate: learning_rate!,
      });
      const metric = (e: typeof result.before, name: string) => e.metrics.find((m) => m.name === name)!.value;
      expect(result.layout.whole.map((w) => w.shape)).toEqual([[3, 48], [3]]);
      expect(metric(result.before, 'accuracy')).toBeLessThan(0.6);
      expect(metric(result.after, 'accuracy')).toBeGreaterThanOrEqual(0.9);
      expect(metric(result.after, 'F1')).toBeGreaterThanOrEqual(0.9);
      expect(result.after.loss!).toBeLessThan(0.5 * result.before.loss!);
      expect(result.troubles).toEqual([]);
      expect(result.samplesAfter.prompts).toHaveLength(8);
      expect(result.samplesAfter.texts![0]).toMatch(new RegExp(`^(${labels.join('|')}) \\d+ %$`));
    },
  );
});
