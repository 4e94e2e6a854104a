/** @file The generic task: named arrays in, a loss by name. */
import type { FileSet } from '#src/tasks/files.ts';
import { oneFile, withDefaults } from '#src/tasks/opened.ts';
import type { OpenModel, Task, TaskJob, TaskModel } from '#src/tasks/types.ts';
import { askArrays } from './ask.ts';
import { genericDefaults } from './info.ts';
import { layersOf, likelyGraph, openSingle } from './model.ts';
import { prepareArrays } from './prepare.ts';

async function open(files: FileSet, openModel: OpenModel, given: TaskJob): Promise<TaskModel> {
  const job = withDefaults(given, genericDefaults);
  const file = await openSingle(files, openModel);
  return {
    ...oneFile(file),
    layers: () => layersOf(likelyGraph(file), file),
    prepare: (train, heldout, _, tell) => prepareArrays(file, job, train, heldout, tell),
    ask: ({ files: given }, adapted, _, tell) => {
      const { output } = job.options;
      return askArrays(file, given, { batch: job.train.batch, output }, adapted, tell);
    },
  };
}

export const task: Task = { id: 'generic', open };
