/** @file Must hold for the whole: of an export in any form, a model learns how one of its speakers answers. */
import { expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { task } from '../task.ts';
import { MADE_SPEAKER, madeChat } from './testing/made.ts';
import { writers } from './testing/written.ts';

it.each(['android, german', 'ios, american', 'android, chinese'])(
  'perplexity of the speaker’s held-out turns falls: %s',
  async (form) => {
    const { path, text } = writers[`whatsapp, ${form}`]!(madeChat(depth(300, 3000)));
    const job = testJob(
      'language',
      { length: 48, newTokens: 24, speaker: MADE_SPEAKER },
      {
        data: { split: 0.2 },
        train: { steps: depth(40, 150), batch: 8 },
        sample: { prompts: ['the small cat found a map.'] },
      },
    );
    const { before, after, samplesBefore, samplesAfter, prepared } = await trainTask({
      task,
      model: diskFiles('public/models/stories'),
      train: memoryFiles({ [path]: text }),
      job,
      plan: { ...defaultSettings, rules: [] },
      learningRate: 0.01,
    });
    expect(after.loss!).toBeLessThan(0.6 * before.loss!);
    // As no story of the model begins.
    expect(samplesBefore.texts![0]).not.toMatch(/^ay/);
    expect(samplesAfter.texts![0]).toMatch(/^ay/);
    expect(prepared.preview.chats?.speakers[0]?.name).toBe(MADE_SPEAKER);
  },
);
