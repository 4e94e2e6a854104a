/** @file Sizes for the symbolic dimensions: given, taken from input tensors, or assumed. */
import type { DimHints } from '#src/graph/assume.ts';
import { listDims } from '#src/graph/bind.ts';
import { evaluateDim } from '#src/graph/dims.ts';
import { nearest } from '#src/formats/nearest.ts';
import { type Model } from '#src/onnx/model.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { likelyDims } from '#src/ops/import/likelyDims.ts';
import { UsageError } from './arguments.ts';

export interface BoundDim {
  readonly value: number;
  readonly from: 'given' | 'inputs' | 'assumed';
  /** Which axis of which input gave it, where one did. */
  readonly source?: string;
}

/**
 * A size for every name that the model's inputs need.
 *
 * @param bind sizes given by name, or as `input.axis`.
 * @param inputs tensors that the sizes are read from; they must agree among themselves and with `bind`.
 * @param hints what the files beside the model say
 */
export function chooseDims(
  model: Model,
  bind: Readonly<Record<string, number>>,
  inputs: ReadonlyMap<string, Tensor> = new Map(),
  hints: DimHints = {},
): Map<string, BoundDim> {
  const dims = new Map<string, BoundDim>();
  const names = new Set(listDims(model).map((d) => d.name));
  const axes = new Set(
    model.graph.inputs.flatMap((v) => (v.shape ?? []).map((_, axis) => `${v.name}.${axis}`)),
  );
  const texts = new Set(
    model.graph.inputs.flatMap((v) => (v.shape ?? []).filter((d) => typeof d === 'string')),
  );
  for (const [name, value] of Object.entries(bind)) {
    if (!names.has(name) && !axes.has(name) && !texts.has(name)) {
      const meant = nearest(name, [...names]);
      throw new UsageError(
        `--bind ${name}=${value}: no input has a dimension of that name${meant ? `; did you mean ${meant}?` : names.size > 0 ? `; there are ${[...names].join(', ')}.` : '; all are fixed. Leave --bind out.'}`,
      );
    }
    dims.set(name, { value, from: 'given' });
  }
  for (const { name, shape } of model.graph.inputs) {
    const given = inputs.get(name);
    if (!given || !shape) continue;
    if (given.shape.length !== shape.length)
      throw new UsageError(
        `input.${name} has shape [${given.shape.join()}], but the model takes ${shape.length} axes: [${shape.map((d) => d ?? '?').join()}]. Write it into IN with as many.`,
      );
    shape.forEach((dim, axis) => {
      if (typeof dim === 'number') return;
      const value = given.shape[axis]!;
      const own = `${name}.${axis}`;
      const key = dim !== null && names.has(dim) && !dims.has(own) ? dim : own;
      const known = dims.get(key);
      if (known && known.value !== value) throw unequal(key, known, { value, own, input: name, axis });
      if (!known) dims.set(key, { value, from: 'inputs', source: `input.${name} (axis ${axis})` });
    });
  }
  checkExpressions(model, dims);
  for (const { name, value } of likelyDims(model, hints))
    if (!dims.has(name)) dims.set(name, { value, from: 'assumed' });
  return dims;
}

/** Two sizes for one dimension: who says which, and how an axis gets a size of its own. */
function unequal(
  key: string,
  known: BoundDim,
  found: { readonly value: number; readonly own: string; readonly input: string; readonly axis: number },
): UsageError {
  const there = `input.${found.input} has ${found.value} there (axis ${found.axis})`;
  if (known.from === 'given')
    return new UsageError(
      `The dimension ${key} is ${known.value}, but ${there}. Leave --bind ${key} out, or give it that size.`,
    );
  return new UsageError(
    `The dimension ${key} is ${known.value} in ${known.source ?? 'the data'}, but ${there}: axes of one name have one size. Write both with one size, or set --bind ${found.own}=${found.value}, which means this axis alone.`,
  );
}

/** Throws UsageError where the data give an axis another size than its expression comes to. */
function checkExpressions(model: Model, dims: ReadonlyMap<string, BoundDim>): void {
  const known = new Map([...dims].map(([name, d]) => [name, d.value]));
  for (const { name, shape } of model.graph.inputs)
    (shape ?? []).forEach((dim, axis) => {
      const own = dims.get(`${name}.${axis}`);
      if (typeof dim !== 'string' || own?.from !== 'inputs') return;
      const size = evaluateDim(dim, known);
      if (size !== undefined && size !== own.value)
        throw new UsageError(
          `input.${name} has ${own.value} on axis ${axis}, but the model asks for ${dim}, which is ${size} with the other inputs' sizes. Write inputs into IN that fit one another.`,
        );
    });
}

export const sizes = (dims: ReadonlyMap<string, BoundDim>): Record<string, number> =>
  Object.fromEntries([...dims].map(([name, d]) => [name, d.value]));
