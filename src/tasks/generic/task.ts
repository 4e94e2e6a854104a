/** @file The generic task: named arrays in, a loss by name. */
import type { FileSet } from '#src/tasks/files.ts';
import type { OpenModel, Task, TaskJob, TaskModel } from '#src/tasks/types.ts';
import { genericDefaults, type GenericOptions } from './info.ts';
import { countWeights, layersOf, likelyGraph, openSingle } from './model.ts';
import { prepareArrays } from './prepare.ts';

async function open(files: FileSet, openModel: OpenModel, job: TaskJob): Promise<TaskModel> {
  const options = { ...genericDefaults, ...(job.options as Partial<GenericOptions>) };
  const file = await openSingle(files, openModel);
  return {
    hash: file.hash,
    bytes: file.bytes,
    weights: countWeights(file.model),
    parts: [{ part: '', file }],
    layers: () => layersOf(likelyGraph(file), file),
    prepare: (train, heldout, _, tell) => prepareArrays(file, { ...job, options }, train, heldout, tell),
  };
}

export const task: Task = { id: 'generic', open };
