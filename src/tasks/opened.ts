/** @file What is alike in opening a model for a task: the job's options over the task's own, and what its one file says. */
import { sizeOf } from '#src/onnx/tensor.ts';
import type { ModelFile, TaskJob, TaskModel } from './types.ts';

/** The job with every option of the task. */
export const withDefaults = <O extends object>(job: TaskJob, defaults: O): TaskJob<O> => ({
  ...job,
  options: { ...defaults, ...(job.options as Partial<O>) },
});

/** Numbers in the float weights of a model. */
function countWeights({ model }: ModelFile): number {
  let count = 0;
  for (const c of model.graph.initializers.values())
    if (c.type.startsWith('float') || c.type === 'bfloat16') count += sizeOf(c.shape);
  return count;
}

/** @param trained the same with a last layer of its own */
export const oneFile = (
  file: ModelFile,
  trained = file,
): Pick<TaskModel, 'hash' | 'bytes' | 'weights' | 'parts'> => ({
  hash: file.hash,
  bytes: file.bytes,
  weights: countWeights(file),
  parts: [{ part: '', file: trained }],
});
