/** @file Arrays and model together: read, checked, split. */
import { Breath } from '#src/platform/breath.ts';
import { withCure } from '#src/platform/refusals.ts';
import type { DType } from '#src/onnx/model.ts';
import { readArrays } from '#src/tasks/arrays/files.ts';
import { sha256Lines } from '#src/tasks/arrays/digest.ts';
import { type FileSet } from '#src/tasks/files.ts';
import { splitShare } from '#src/tasks/order.ts';
import type { ModelFile, PreparedTask, TaskJob, TaskProblem, Tell } from '#src/tasks/types.ts';
import { type ArrayData, readArrayData } from './data.ts';
import type { GenericOptions } from './info.ts';
import { type ArrayProgram, arrayProgram, isWording } from './program.ts';

import { batchShapes, type Part } from './batches.ts';
import { PreparedArrays } from './prepared.ts';
import { valueProblems } from './values.ts';

const isInteger = (type: DType): boolean => /^u?int\d+$|^bool$/.test(type);

/** Reads, checks and splits the arrays. Lists problems; throws nothing that the data can cause. */
export async function prepareArrays(
  file: ModelFile,
  job: TaskJob<GenericOptions>,
  train: FileSet,
  heldout: FileSet | null,
  tell?: Tell,
): Promise<PreparedTask> {
  const { options } = job;
  const breath = new Breath(() => tell?.(1, 1));
  const problems: TaskProblem[] = [];
  const reading = { model: file.model, target: options.target, needed: options.loss !== 'model', tell };
  const data = await readArrayData(train, reading, problems);
  const other = heldout ? await readArrayData(heldout, reading, problems) : null;
  let program: ArrayProgram | null = null;
  const all = (d: ArrayData): number[] => Array.from({ length: d.count }, (_, i) => i);
  let training: Part | null = data && { data, indices: all(data) };
  let judged: Part | null = other && { data: other, indices: all(other) };
  if (data && training) {
    const shapes = batchShapes(data, job.train.batch);
    const tensor =
      data.cut === 'files'
        ? (await readArrays(train, data.batches[0]!)).get(data.roles.target ?? '')
        : data.arrays.get(data.roles.target ?? '')?.tensor;
    try {
      program = arrayProgram(file, data.roles, shapes, tensor ? isInteger(tensor.type) : false, options);
      problems.push(...(await valueProblems(training, program, options, job.train.batch, breath)));
      if (program.own && job.train.accumulate > 1)
        problems.push({
          severity: 'warning',
          item: file.path,
          message: `The loss is the model's own, one number for a batch: the ${job.train.accumulate} batches of a step count alike. Where the model leaves positions out or weighs them, that is not the same as one batch of all.`,
          cure: 'Take the loss of another output, or take one batch in a step.',
        });
      if (other) {
        const same = batchShapes(other, job.train.batch);
        for (const [name, shape] of shapes)
          if (same.get(name)?.join() !== shape.join())
            problems.push({
              severity: 'error',
              item: heldout!.name,
              message: `The held-out array "${name}" gives batches of [${same.get(name)?.join() ?? 'none'}], training gives [${shape.join()}].`,
              cure: 'Give both arrays the same shape but for the first axis.',
            });
        if (judged) problems.push(...(await valueProblems(judged, program, options, 1, breath)));
      }
    } catch (error) {
      if (!isWording(error)) throw error;
      problems.push({ severity: 'error', item: data.files.name, message: error.message, ...withCure(error) });
    }
    if (!heldout && job.data.split > 0) {
      const split = splitShare(all(data), job.data.split, job.train.seed);
      training = { data, indices: split.train };
      judged = { data, indices: split.heldout };
    }
  }
  const lines = data
    ? [
        options.order,
        data.cut,
        JSON.stringify([...data.roles.inputs, data.roles.target]),
        ...data.digests,
        (training?.indices ?? []).join(),
      ]
    : [];
  return new PreparedArrays(job, program, training, judged, problems, await sha256Lines(lines));
}
