/** @file What is wrong with the values of arrays, for the model and the loss that take them. */
import type { Breath } from '#src/platform/breath.ts';
import type { DType } from '#src/onnx/model.ts';
import { type Tensor } from '#src/onnx/tensor.ts';
import { readArrays } from '#src/tasks/arrays/files.ts';
import { findNumber, firstLost, numberWords } from '#src/tasks/arrays/numbers.ts';
import { type Table, tableOf } from '#src/tasks/picked.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import type { GenericOptions } from './info.ts';
import { place } from './data.ts';
import { classAxis, ignoredLabel } from './losses.ts';
import { type ArrayProgram } from './program.ts';

import { type Part } from './batches.ts';
/** Labels beyond the classes, numbers that pick no row of the model's tables, and integers that are none: each with its place. */
export async function valueProblems(
  part: Part,
  program: ArrayProgram,
  options: GenericOptions,
  batch: number,
  breath: Breath,
) {
  const problems: TaskProblem[] = [];
  const { data } = part;
  const wanted = [
    ...[...data.roles.inputs].map(
      ([input, array]) => [array, program.graph.inputs.find((v) => v.name === input)!.type] as const,
    ),
    ...(program.target && data.roles.target !== null
      ? [[data.roles.target, program.target.type] as const]
      : []),
  ];
  const labels = options.loss === 'cross_entropy' && program.target?.type === 'int32';
  const axis = labels ? classAxis(program.output.shape, program.target.shape) : -1;
  const classes = program.output.shape[axis] ?? 0;
  const tables = new Map<string, Table[]>();
  for (const [input, array] of data.roles.inputs) {
    const table = tableOf(program.graph, input);
    if (table) tables.set(array, [...(tables.get(array) ?? []), table]);
  }
  const seen = new Set<string>();
  const say = (name: string, path: string, message: string, cure: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    problems.push({
      severity: 'error',
      item: path,
      message: `${path}: the array "${name}" ${message}.`,
      cure,
    });
  };
  const told = (tensor: Tensor, index: number): string =>
    `${numberWords(tensor, index)} at ${place(index, tensor.shape)}`;
  const check = async (name: string, path: string, tensor: Tensor, type: DType): Promise<void> => {
    const bad = (is: (x: number) => boolean): Promise<number> => findNumber(tensor, is, breath);
    for (const table of tables.get(name) ?? []) {
      const at = await bad((x) => x < 0 || x >= table.rows);
      if (at >= 0)
        say(
          name,
          path,
          `has ${told(tensor, at)}, but picks rows 0 to ${table.rows - 1} of the model's table ${table.name}`,
          'Number from 0 on, by the tokenizer or list that belongs to the model, and pad with a number in that range.',
        );
    }
    const lost = await firstLost(tensor, type, breath);
    if (lost >= 0)
      say(
        name,
        path,
        `(${tensor.type}) does not fit the type ${type}: it has ${told(tensor, lost)}`,
        `Save it as ${type}.`,
      );
    if (name !== data.roles.target) return;
    if (options.loss === 'bce') {
      const outside = await bad((x) => x < 0 || x > 1);
      if (outside >= 0)
        say(
          name,
          path,
          `has ${told(tensor, outside)}, but the loss bce takes shares from 0 to 1`,
          'Scale the targets, or choose another loss.',
        );
    }
    if (!labels) return;
    const strange = await bad((x) => x !== ignoredLabel && (x < 0 || x >= classes));
    if (strange >= 0)
      say(
        name,
        path,
        `has the label ${told(tensor, strange)}, out of range: the model has the classes 0 to ${classes - 1}`,
        `Number the classes from 0 on; ${ignoredLabel} leaves an entry out.`,
      );
  };
  if (data.cut === 'files')
    for (const path of data.batches) {
      const arrays = await readArrays(data.files, path, undefined, breath);
      for (const [name, type] of wanted) await check(name, path, arrays.get(name)!, type);
    }
  else
    for (const [name, type] of wanted) {
      const source = data.arrays.get(name)!;
      await check(name, source.path, source.tensor, type);
    }
  if (data.cut === 'examples' && data.count < batch)
    problems.push({
      severity: 'warning',
      item: data.files.name,
      message: `${data.files.name} has ${data.count} examples, fewer than a batch of ${batch}: rows come twice in a batch.`,
    });
  return problems;
}
