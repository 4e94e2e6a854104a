/** @file Sizes for the symbolic dimensions: given, taken from input tensors, or assumed. */
import { assumeDims } from '#src/graph/assume.ts';
import { listDims } from '#src/graph/bind.ts';
import { nearest } from '#src/formats/nearest.ts';
import { type Model } from '#src/onnx/model.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { UsageError } from './arguments.ts';

export interface BoundDim {
  readonly value: number;
  readonly from: 'given' | 'inputs' | 'assumed';
}

/**
 * A size for every name that the model's inputs need.
 *
 * @param bind sizes given by name, or as `input.axis`.
 * @param inputs tensors that the sizes are read from; they must agree among themselves and with `bind`.
 */
export function chooseDims(
  model: Model,
  bind: Readonly<Record<string, number>>,
  inputs: ReadonlyMap<string, Tensor> = new Map(),
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
        `--bind ${name}=${value}: no input has a dimension of that name${meant ? `; did you mean ${meant}?` : names.size > 0 ? `; there are ${[...names].join(', ')}.` : '; all are fixed.'}`,
      );
    }
    dims.set(name, { value, from: 'given' });
  }
  for (const { name, shape } of model.graph.inputs) {
    const given = inputs.get(name);
    if (!given || !shape) continue;
    if (given.shape.length !== shape.length)
      throw new UsageError(
        `input.${name} has shape [${given.shape.join()}], but the model takes ${shape.length} axes: [${shape.map((d) => d ?? '?').join()}].`,
      );
    shape.forEach((dim, axis) => {
      if (typeof dim === 'number') return;
      const value = given.shape[axis]!;
      const key = dim !== null && names.has(dim) ? dim : `${name}.${axis}`;
      const known = dims.get(key)?.value ?? value;
      if (known !== value)
        throw new UsageError(
          `The dimension ${key} is ${known}, but input.${name} has ${value} there (axis ${axis}).`,
        );
      if (!dims.has(key)) dims.set(key, { value, from: 'inputs' });
    });
  }
  for (const { name, value } of assumeDims(model))
    if (!dims.has(name)) dims.set(name, { value, from: 'assumed' });
  return dims;
}

export const sizes = (dims: ReadonlyMap<string, BoundDim>): Record<string, number> =>
  Object.fromEntries([...dims].map(([name, d]) => [name, d.value]));
