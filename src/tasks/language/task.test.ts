import { describe, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { task } from './task.ts';

describe('the built-in example', () => {
  it(
    'learns to tell stories as pirates do: the perplexity of stories held out falls to a fifth and less',
    { timeout: 120_000 },
    async () => {
      const result = await trainTask({
        task,
        model: diskFiles('public/models/stories'),
        train: diskFiles('public/data/pirate-stories/train'),
        heldout: diskFiles('public/data/pirate-stories/heldout'),
        job: testJob(
          'language',
          { length: 32, newTokens: 12 },
          { train: { steps: 60, batch: 8 }, sample: { prompts: ['arr! the', 'arr! a robot and'] } },
        ),
        plan: { ...defaultSettings, rules: [] },
        learningRate: 0.01,
      });
      const perplexity = (e: typeof result.before) => e.metrics.find((m) => m.name === 'perplexity')!.value;
      expect(perplexity(result.after)).toBeLessThan(0.2 * perplexity(result.before));
      expect(result.troubles).toEqual([]);
      expect(result.samplesAfter.texts!.join(' ')).toMatch(/th'/);
      expect(result.samplesBefore.texts!.join(' ')).not.toMatch(/th'/);
    },
  );
});
