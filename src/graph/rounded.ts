/** @file Constants that are a float weight rounded to few bits when a program is loaded: its numbers, or their scales. */
import { type Blocks, toBlocks } from '#src/onnx/blockwise.ts';
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

/** Parts that were not asked for yet: a weight is read and rounded once for its error and for both. */
const waiting = new WeakMap<Rounding, Parts>();
const errors = new WeakMap<Rounding, number>();

/** ‖W − Ŵ‖_F ÷ ‖W‖_F, where the weight was rounded already. */
export const knownError = (rounding: Rounding): number | undefined => errors.get(rounding);

/** The same; the weight is read where that is not known yet. Throws what reading it throws, ModelError where a number is not finite. */
export async function roundingError(rounding: Rounding, read: ReadConstant): Promise<number> {
  const known = errors.get(rounding);
  if (known !== undefined) return known;
  await round(rounding, read);
  return errors.get(rounding)!;
}

/** Bytes of one part. Throws what reading the weight throws, ModelError where a number is not finite. */
export async function roundedBytes({ by, part }: Rounded, read: ReadConstant): Promise<Uint8Array> {
  const left = waiting.get(by);
  const parts = left?.has(part) ? left : await round(by, read);
  const bytes = parts.get(part)!;
  parts.delete(part);
  if (parts.size === 0) waiting.delete(by);
  return bytes;
}

async function round(rounding: Rounding, read: ReadConstant): Promise<Parts> {
  const { name, of } = rounding;
  const values = viewBytes('float32', await read(name, of)) as Float32Array;
  const { numbers, scales, error } = await toBlocks(name, values, of.shape, rounding);
  const parts: Parts = new Map([
    ['numbers', numbers],
    ['scales', new Uint8Array(scales.buffer)],
  ]);
  errors.set(rounding, error);
  waiting.set(rounding, parts);
  return parts;
}
