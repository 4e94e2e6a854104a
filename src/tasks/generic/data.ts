/** @file Named arrays as training data: what they are for, how they are cut into batches, and what is wrong with them. */
import { Breath } from '#src/platform/breath.ts';
import { MOST_ARRAYS } from '#src/platform/limits.ts';
import { PlainError } from '#src/platform/refusals.ts';
import { settingInputs } from '#src/onnx/givenInputs.ts';
import type { Model, ModelValue } from '#src/onnx/model.ts';
import { sizeOf, type Tensor } from '#src/onnx/tensor.ts';
import { isArrayFile, readArrays } from '#src/tasks/arrays/files.ts';
import { firstNonFinite } from '#src/tasks/arrays/numbers.ts';
import { sha256 } from '#src/tasks/digest.ts';
import type { FileSet } from '#src/tasks/files.ts';
import type { TaskProblem, Tell } from '#src/tasks/types.ts';
import { shownValue } from './model.ts';
import { freeNames, inOrder, isBatchFile, type Roles, rolesOf } from './roles.ts';

export interface Source {
  readonly path: string;
  readonly tensor: Tensor;
}

/**
 * examples: axis 0 counts rows, of which batches are made. batches: axis 0 counts batches. files: a file is a batch.
 */
export type Cut = 'examples' | 'batches' | 'files';

export interface ArrayData {
  readonly files: FileSet;
  readonly cut: Cut;
  readonly roles: Roles;
  /** Rows, batches or files. */
  readonly count: number;
  /** Shape of one row (examples) or of a whole batch, by array name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The arrays, but for files: those are read when their batch is due. */
  readonly arrays: ReadonlyMap<string, Source>;
  /** Paths of the batches, for files. */
  readonly batches: readonly string[];
  /** One line per array or file. */
  readonly digests: readonly string[];
}

const error = (item: string, message: string, cure?: string): TaskProblem => ({
  severity: 'error',
  item,
  message,
  ...(cure !== undefined && { cure }),
});

const listed = (names: Iterable<string>): string => {
  const all = [...names];
  return all.length > 12 ? `${all.slice(0, 12).join(', ')} …` : all.join(', ') || 'none';
};

/** "[3, 0, 7]" for a flat index: its row first. */
export function place(index: number, shape: readonly number[]): string {
  const at: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at.unshift(index % shape[axis]!);
    index = Math.floor(index / shape[axis]!);
  }
  return `[${at.join(', ')}]`;
}

async function numberProblem(
  name: string,
  { path, tensor }: Source,
  breath: Breath,
): Promise<TaskProblem | null> {
  const at = await firstNonFinite(tensor, breath);
  if (at < 0) return null;
  return error(
    path,
    `${path}: the array "${name}" holds a number that is not finite (NaN or infinity), first at ${place(at, tensor.shape)}.`,
    'Choose arrays of finite numbers.',
  );
}

/** Assigns arrays to the model's inputs and the target. */
export function assignRoles(
  model: Model,
  names: readonly string[],
  wish: { readonly target: string; readonly needed: boolean },
  where: string,
  problems: TaskProblem[],
): Roles {
  const inputs = model.graph.inputs.map(({ name }) => name);
  const roles = rolesOf(inputs, names, wish);
  const missing = model.graph.inputs.filter(({ name }) => !roles.inputs.has(name));
  for (const input of missing)
    problems.push(
      error(
        where,
        `${where} has no array for the model's input ${shownValue(input)}; its arrays are ${listed(names)}.`,
        `Choose a file with an array "${input.name}"; or, if it is one value for all (a rate, a flag, a threshold), ${settingInputs(input.name)}`,
      ),
    );
  if (wish.needed && roles.target === null)
    problems.push({
      ...error(
        where,
        wish.target !== ''
          ? `${where} has no array "${wish.target}" for the target; its arrays are ${listed(names)}.`
          : `${where} has no array that is the target: of ${listed(names)} none is named target, y or labels.`,
        'Say which array it is.',
      ),
      group: {
        kind: 'no-target-array',
        words: `${where}: nothing says which array is the target.`,
        items: freeNames(names, roles),
      },
    });
  return roles;
}

/** What of a fixed size differs between an input and what would be fed; null: nothing. */
function misfit(input: ModelValue, fed: readonly number[], free: number): string | null {
  const { shape } = input;
  if (!shape) return null;
  const fits =
    shape.length === fed.length &&
    shape.every((d, axis) => axis < free || typeof d !== 'number' || d === fed[axis]);
  return fits ? null : shownValue(input);
}

interface ReadOptions {
  readonly model: Model;
  readonly target: string;
  /** Whether the loss compares with a target. */
  readonly needed: boolean;
  readonly tell?: Tell | undefined;
}

/**
 * Reads all arrays once and checks them.
 * @returns null where nothing can be trained; `problems` then says why
 */
export async function readArrayData(
  files: FileSet,
  options: ReadOptions,
  problems: TaskProblem[],
): Promise<ArrayData | null> {
  const before = problems.length;
  const paths = files.paths.filter(isArrayFile);
  if (paths.length === 0) {
    problems.push(
      error(files.name, `${files.name} has no array file.`, 'Choose arrays: .npz, .npy or .safetensors.'),
    );
    return null;
  }
  const data = paths.every(isBatchFile)
    ? await readBatchFiles(files, paths, options, problems)
    : await readWhole(files, paths, options, problems);
  return problems.slice(before).some((p) => p.severity === 'error') ? null : data;
}

async function arraysOf(files: FileSet, path: string, problems: TaskProblem[], breath: Breath, taken = 0) {
  try {
    return await readArrays(files, path, { most: MOST_ARRAYS, taken }, breath);
  } catch (reason) {
    if (!(reason instanceof PlainError)) throw reason;
    problems.push(error(path, reason.message, reason.cure));
    return null;
  }
}

const bytesOf = ({ data }: Tensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

async function readWhole(
  files: FileSet,
  paths: readonly string[],
  options: ReadOptions,
  problems: TaskProblem[],
): Promise<ArrayData | null> {
  const arrays = new Map<string, Source>();
  let taken = 0;
  const breath = new Breath(() => options.tell?.(paths.length, paths.length));
  for (const [i, path] of paths.entries()) {
    for (const [name, tensor] of (await arraysOf(files, path, problems, breath, taken)) ?? []) {
      taken += tensor.data.byteLength;
      const other = arrays.get(name);
      if (other)
        problems.push(
          error(
            path,
            `The array "${name}" is in ${other.path} and in ${path}.`,
            'Choose one file of the two.',
          ),
        );
      else arrays.set(name, { path, tensor });
    }
    options.tell?.(i + 1, paths.length);
  }
  if (arrays.size === 0) {
    if (problems.length === 0)
      problems.push(
        error(paths[0]!, `${listed(paths)}: there is no array.`, 'Choose a file that holds arrays.'),
      );
    return null;
  }
  const where = paths.length === 1 ? paths[0]! : files.name;
  const roles = assignRoles(options.model, [...arrays.keys()], options, where, problems);
  const used = new Map<string, Source>();
  for (const name of [...roles.inputs.values(), roles.target])
    if (name !== null) used.set(name, arrays.get(name)!);
  const rankOf = (input: ModelValue): number => input.shape?.length ?? -1;
  const deeper = options.model.graph.inputs.some((input) => {
    const source = used.get(roles.inputs.get(input.name) ?? '');
    return source !== undefined && source.tensor.shape.length === rankOf(input) + 1;
  });
  const cut: Cut = deeper ? 'batches' : 'examples';
  const first = [...used][0];
  const count = first?.[1].tensor.shape[0] ?? 0;
  for (const [name, source] of used) {
    if (breath.due) await breath.take();
    const { shape } = source.tensor;
    const shown = `${source.path}: the array "${name}" of shape [${shape.join()}]`;
    if (shape.length === 0)
      problems.push(
        error(
          source.path,
          `${shown} has no axis that counts examples.`,
          'Choose an array with one entry for each example along its first axis.',
        ),
      );
    else if (sizeOf(shape) === 0)
      problems.push(error(source.path, `${shown} is empty.`, 'Choose an array with one example at least.'));
    else if (shape[0] !== count)
      problems.push(
        error(
          source.path,
          `${shown} has ${shape[0]!} ${cut === 'batches' ? 'batches' : 'examples'}, but "${first![0]}" has ${count}.`,
          'Choose arrays of as many examples each.',
        ),
      );
    const bad = await numberProblem(name, source, breath);
    if (bad) problems.push(bad);
  }
  const shapes = new Map([...used].map(([name, s]) => [name, s.tensor.shape.slice(1)]));
  for (const input of options.model.graph.inputs) {
    const name = roles.inputs.get(input.name);
    if (name === undefined) continue;
    const own = shapes.get(name)!;
    const wanted = misfit(input, cut === 'examples' ? [0, ...own] : own, 1);
    if (wanted !== null)
      problems.push(
        error(
          used.get(name)!.path,
          `${used.get(name)!.path}: the array "${name}" has the shape [${used.get(name)!.tensor.shape.join()}], which does not fit the model's input ${wanted}${cut === 'batches' ? ' with an axis of batches before it' : ''}.`,
          'Choose an array of that shape.',
        ),
      );
  }
  const digests: string[] = [];
  for (const [name, { tensor }] of used) {
    if (breath.due) await breath.take();
    digests.push(`${name} ${tensor.type} ${tensor.shape.join()} ${await sha256(bytesOf(tensor))}`);
  }
  return { files, cut, roles, count, shapes, arrays: used, batches: [], digests };
}

async function readBatchFiles(
  files: FileSet,
  paths: readonly string[],
  options: ReadOptions,
  problems: TaskProblem[],
): Promise<ArrayData | null> {
  const batches = inOrder(paths);
  let roles: Roles | undefined;
  const shapes = new Map<string, readonly number[]>();
  const digests: string[] = [];
  const breath = new Breath(() => options.tell?.(0, batches.length));
  for (const [i, path] of batches.entries()) {
    const arrays = await arraysOf(files, path, problems, breath);
    if (arrays) {
      roles ??= assignRoles(options.model, [...arrays.keys()], options, path, problems);
      for (const name of [...roles.inputs.values(), roles.target]) {
        if (name === null) continue;
        const tensor = arrays.get(name);
        if (!tensor) {
          problems.push(
            error(path, `${path} has no array "${name}"; its arrays are ${listed(arrays.keys())}.`),
          );
          continue;
        }
        const shape = shapes.get(name);
        if (!shape) shapes.set(name, tensor.shape);
        else if (shape.join() !== tensor.shape.join())
          problems.push(
            error(
              path,
              `${path}: the array "${name}" has the shape [${tensor.shape.join()}], but [${shape.join()}] in ${batches[0]!}.`,
              'All batches must have the same shapes.',
            ),
          );
        const bad = await numberProblem(name, { path, tensor }, breath);
        if (bad) problems.push(bad);
        digests.push(`${name} ${tensor.type} ${tensor.shape.join()} ${await sha256(bytesOf(tensor))}`);
      }
    }
    options.tell?.(i + 1, batches.length);
  }
  if (!roles) return null;
  for (const input of options.model.graph.inputs) {
    const shape = shapes.get(roles.inputs.get(input.name) ?? '');
    const wanted = shape && misfit(input, shape, 1);
    if (shape && wanted != null)
      problems.push(
        error(
          batches[0]!,
          `${batches[0]!}: the array "${roles.inputs.get(input.name)!}" has the shape [${shape.join()}], which does not fit the model's input ${wanted}.`,
          'Choose an array of that shape.',
        ),
      );
  }
  return { files, cut: 'files', roles, count: batches.length, shapes, arrays: new Map(), batches, digests };
}
