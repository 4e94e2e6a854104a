/** @file The screen "result": pictures by prompts, or what the task itself shows. */
import { drawsPrompts, taskOf } from '#src/app/words/taskWords.ts';
import type { View } from '../view.ts';

export const view: View = {
  load: (lab) =>
    drawsPrompts(taskOf(lab.trial.opened ? lab.draft.job : (lab.run.job ?? lab.draft.job)))
      ? import('./Result.svelte')
      : import('./TaskResult.svelte'),
};
