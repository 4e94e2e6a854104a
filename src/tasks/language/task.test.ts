import { describe, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { task } from './task.ts';

describe('the built-in examples', () => {
  it.each([
    ['as pirates do', 'pirate-stories', ['arr! the', 'arr! a robot and'], /th'/],
    ['with an echo', 'echoes', ['the small cat', 'a robot'], /\b(the|an?) ([a-z ]+), (the|an?) \2\b/],
  ])(
    'learn to tell stories %s: the perplexity of stories held out falls to a fifth and less',
    { timeout: 120_000 },
    async (_, name, prompts, voice) => {
      const result = await trainTask({
        task,
        model: diskFiles('public/models/stories'),
        train: diskFiles(`public/data/${name}/train`),
        heldout: diskFiles(`public/data/${name}/heldout`),
        job: testJob(
          'language',
          { length: 32, newTokens: 12 },
          { train: { steps: 60, batch: 8 }, sample: { prompts } },
        ),
        plan: { ...defaultSettings, rules: [] },
        learningRate: 0.01,
      });
      const perplexity = (e: typeof result.before) => e.metrics.find((m) => m.name === 'perplexity')!.value;
      expect(perplexity(result.after)).toBeLessThan(0.2 * perplexity(result.before));
      expect(result.troubles).toEqual([]);
      expect(result.samplesAfter.texts!.join(' ')).toMatch(voice);
      expect(result.samplesBefore.texts!.join(' ')).not.toMatch(voice);
    },
  );
});
