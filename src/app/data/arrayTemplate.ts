/** @file Which arrays a model is taught by, a file of them to begin from, and the line of Python that saves such a file. */
import { NewZip } from '#src/platform/zip.ts';
import { type Tensor, tensor } from '#src/onnx/tensor.ts';
import type { DType } from '#src/onnx/model.ts';
import { numpyType, writeNpy } from '#src/tasks/arrays/writeNpy.ts';
import { random } from '#src/tasks/random.ts';
import type { InspectedModel, InspectedTensor } from '#workers/inspection/types.ts';

/** A size as the model's file says it: fixed, a name for one that is the same wherever the name stands, or left open. */
export type Size = number | string | null;

/** An array to bring: `count` comes before its shape. */
export interface WantedArray {
  readonly name: string;
  readonly type: DType;
  /** Of one example, or of a whole batch where `per` says so. */
  readonly shape: readonly number[];
  /** The same as the model's file says it. */
  readonly sizes: readonly Size[];
  /** Of labels: with the last axis for that of the classes, which the loss takes, too; and shares of each class, which are no whole numbers. */
  readonly labels?: { readonly or: readonly Size[]; readonly shares: readonly Size[] };
  readonly role: 'input' | 'target';
}

export interface Wanted {
  readonly arrays: readonly WantedArray[];
  /** What the first axis counts. */
  readonly per: 'example' | 'batch';
}

/** Rows of a template. */
export const ROWS = 4;

/** Of the job's task, as far as they say which arrays it takes. */
export interface ArrayOptions {
  readonly loss?: unknown;
  readonly output?: unknown;
  readonly target?: unknown;
}

/** The name that the options say. */
const said = (name: unknown): string => (typeof name === 'string' ? name : '');

/**
 * The arrays for the task "generic": one for each input, and the target by what the loss takes.
 * @param options of the job's task
 * @returns null where the model could not be bound, so that its sizes are not known, or takes what is empty at first
 */
export function wantedArrays(
  { inputs, outputs }: Pick<InspectedModel, 'inputs' | 'outputs'>,
  options: ArrayOptions,
): Wanted | null {
  const all = [...inputs, ...outputs];
  // A cache of nothing is no array.
  if (all.some((v) => v.bound?.includes(0))) return null;
  if (!all.every((v): v is InspectedTensor & { bound: readonly number[] } => v.bound !== null)) return null;
  // An input of one number has no axis that could count examples: then whole batches are given.
  const per = inputs.some((v) => v.bound?.length === 0) ? 'batch' : 'example';
  const shapeOf = ({ bound }: InspectedTensor): readonly number[] =>
    per === 'batch' ? (bound ?? []) : (bound ?? []).slice(1);
  /** What a file says of another number of axes than there are is no help. */
  const sizesOf = ({ shape, bound }: InspectedTensor): readonly Size[] =>
    (shape?.length === bound?.length && shape ? shape : (bound ?? []).map(() => null)).slice(
      per === 'batch' ? 0 : 1,
    );
  const fed = inputs.map((v): WantedArray => ({
    name: v.name,
    type: numpyType(v.type as DType),
    shape: shapeOf(v),
    sizes: sizesOf(v),
    role: 'input',
  }));
  const output = outputs.find((v) =>
    said(options.output) !== '' ? v.name === options.output : v.type.includes('float'),
  );
  if (options.loss === 'model' || !output) return { arrays: fed, per };
  const labels = options.loss === 'cross_entropy';
  const whole = shapeOf(output);
  const sizes = sizesOf(output);
  const classes = per === 'batch' ? 1 : 0;
  const without = <T>(all: readonly T[], at: number): T[] => all.filter((_, axis) => axis !== at);
  const name = said(options.target) || 'target';
  const target: WantedArray = {
    name: fed.some((a) => a.name === name) ? 'y' : name,
    type: labels ? 'int64' : 'float32',
    shape: labels ? without(whole, classes) : whole,
    sizes: labels ? without(sizes, classes) : sizes,
    ...(labels && { labels: { or: sizes.slice(0, -1), shares: sizes } }),
    role: 'target',
  };
  return { arrays: [...fed, target], per };
}

/** "4 × 3 × 32 × 32", with a word for what the first axis counts. */
export const wantedShape = ({ shape }: WantedArray, { per }: Wanted): string =>
  [per === 'batch' ? 'batches' : 'examples', ...shape].join(' × ');

function filled({ type, shape }: WantedArray, seed: number): Tensor {
  const whole = [ROWS, ...shape];
  const count = whole.reduce((n, d) => n * d, 1);
  // Whole numbers may be places in a list of words or classes, of which there is always a first.
  if (!type.startsWith('float')) return tensor(type, whole, new Uint8Array(count));
  return tensor(type, whole, random(0, 'template', seed).uniform(count));
}

/** An .npz file with a few rows of random numbers, and of zeros where whole numbers are wanted: right in names, types and shapes. */
export async function arrayTemplate({ arrays }: Wanted): Promise<Blob> {
  const zip = new NewZip();
  for (const [i, array] of arrays.entries()) await zip.add(`${array.name}.npy`, writeNpy(filled(array, i)));
  return zip.close();
}

const isName = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name);

/** `np.savez("train.npz", x=x, target=target)`; names that are none in Python go by a dictionary. */
export function saveLine({ arrays }: Wanted): string {
  const plain = arrays.every(({ name }) => isName(name));
  const value = (name: string): string => name.replace(/^(?=\d)|\W/g, '_');
  const pairs = arrays.map(({ name }) =>
    plain ? `${name}=${name}` : `${JSON.stringify(name)}: ${value(name)}`,
  );
  return `np.savez("train.npz", ${plain ? pairs.join(', ') : `**{${pairs.join(', ')}}`})`;
}

/** The same with its import, and a comment for each array that says its type and shape. */
export const saveScript = (wanted: Wanted): string =>
  [
    'import numpy as np',
    ...wanted.arrays.map((array) => `# ${array.name}: ${array.type}, ${wantedShape(array, wanted)}`),
    saveLine(wanted),
  ].join('\n');
