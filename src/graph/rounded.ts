/** @file Constants that are a float weight rounded to few bits when a program is loaded: its numbers, or their scales. */
import { type Blocks, type Blockwise, toBlocks } from '#src/onnx/blockwise.ts';
import type { Constant } from '#src/onnx/model.ts';
import { viewBytes } from '#src/onnx/tensor.ts';

/** A float32 weight and how it is rounded: one object for all programs of a model. */
export interface Rounding extends Blocks {
  /** The weight's name, for people. */
  readonly name: string;
  readonly of: Constant;
}

/** A part of a rounded weight. */
export interface Rounded {
  readonly by: Rounding;
  readonly part: 'numbers' | 'scales';
}

/** Bytes of a float32 constant. */
export type ReadConstant = (name: string, constant: Constant) => Promise<Uint8Array>;

type Parts = Map<Rounded['part'], Uint8Array>;

/** The part that was not asked for yet: a weight is read and rounded once for both. */
const waiting = new WeakMap<Rounding, Parts>();
const errors = new WeakMap<Rounding, number>();

/** ‖W − Ŵ‖_F ÷ ‖W‖_F, where the weight was rounded already. */
export const knownError = (rounding: Rounding): number | undefined => errors.get(rounding);

/** The same; the weight is read where that is not known yet. Throws what reading it throws, ModelError where a number is not finite. */
export async function roundingError(rounding: Rounding, read: ReadConstant): Promise<number> {
  return errors.get(rounding) ?? (await rounded(rounding, read)).error;
}

/** Bytes of one part. Throws what reading the weight throws, ModelError where a number is not finite. */
export async function roundedBytes({ by, part }: Rounded, read: ReadConstant): Promise<Uint8Array> {
  const left = waiting.get(by)?.get(part);
  if (left) {
    waiting.delete(by);
    return left;
  }
  const { numbers, scales } = await rounded(by, read);
  const parts: Parts = new Map([
    ['numbers', numbers],
    ['scales', new Uint8Array(scales.buffer)],
  ]);
  const asked = parts.get(part)!;
  parts.delete(part);
  waiting.set(by, parts);
  return asked;
}

async function rounded(rounding: Rounding, read: ReadConstant): Promise<Blockwise> {
  const { name, of } = rounding;
  const values = viewBytes('float32', await read(name, of)) as Float32Array;
  const made = await toBlocks(name, values, of.shape, rounding);
  errors.set(rounding, made.error);
  return made;
}
