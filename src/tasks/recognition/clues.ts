/** @file What of a model's file tells which task it was made for: its inputs and outputs, its embeddings, and what lies beside it. */
import type { Model, ModelValue } from '#src/onnx/model.ts';
import { type PictureInput, pictureInput } from '#src/tasks/images/pictureInput.ts';
import { PlainError } from '#src/platform/refusals.ts';
import type { ModelFile } from '#src/tasks/types.ts';
import type { Beside } from './beside.ts';

/** Where a model is, and what is in it: as much of a file as tells its kind. */
export type Told = Pick<ModelFile, 'path' | 'model'>;

export interface Clues extends Told {
  readonly inputs: readonly ModelValue[];
  /** With sizes in place of names where they are known. */
  readonly outputs: readonly ModelValue[];
  /** The input of pictures, where the model takes nothing else; null: it does not. */
  readonly picture: PictureInput | null;
  /** How many words, or other things, each of its embeddings knows. */
  readonly vocabularies: ReadonlySet<number>;
  readonly beside: Beside;
}

/** What `read` says; null where it refuses in words. */
export function told<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof PlainError) return null;
    throw error;
  }
}

/** Names of planes of numbers that are no pictures: sound, and what lies between the parts of other models. */
const NO_PICTURE = /mel|audio|spectr|wave|latent|noise|feature/i;

function takesPictures(file: Told): PictureInput | null {
  const input = told(() => pictureInput(file.model, file.path));
  return input && !NO_PICTURE.test(input.name) ? input : null;
}

/** Rows of the weights that are looked up by number. */
function vocabulariesOf({ graph }: Model): ReadonlySet<number> {
  const found = new Set<number>();
  for (const { op, inputs } of graph.nodes) {
    const weight = op === 'Gather' ? graph.initializers.get(inputs[0] ?? '') : undefined;
    if (weight?.shape.length === 2) found.add(weight.shape[0]!);
  }
  return found;
}

/** @param bound shapes of outputs by name, at sizes that fit; those of others are as the file says */
export function cluesOf(
  { path, model }: Told,
  beside: Beside,
  bound: ReadonlyMap<string, readonly number[]> = new Map(),
): Clues {
  const { inputs, outputs } = model.graph;
  return {
    path,
    model,
    inputs,
    outputs: outputs.map((v) => ({ ...v, shape: bound.get(v.name) ?? v.shape })),
    picture: takesPictures({ path, model }),
    vocabularies: vocabulariesOf(model),
    beside,
  };
}

/** The first output of floats with so many axes. */
export const outputOf = ({ outputs }: Clues, rank: number): ModelValue | undefined =>
  outputs.find((v) => /float/.test(v.type) && v.shape?.length === rank);

/**
 * What config.json says of the head that the model ends in ("…ForImageClassification"): whether it is one of these; "nothing" also where the
 * model is a trunk without a head.
 */
export function headSaid({ beside }: Clues, which: RegExp): 'this' | 'another' | 'nothing' {
  const heads = beside.architectures.filter((name) => /For[A-Z]|LMHead/.test(name));
  if (heads.length === 0) return 'nothing';
  return heads.some((name) => which.test(name)) ? 'this' : 'another';
}

/** "scores", or what else a person would look for in a file, with its name as the file has it. */
export const named = (words: string, { name }: { readonly name: string }): string => `${words} (${name})`;
