/** @file Batches of arrays: their shapes, and the rows of one. */
import { sizeOf, type Tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { readArrays } from '#src/tasks/arrays/files.ts';
import { type ArrayData } from './data.ts';

/** Rows (or batches) of some data, and which of them. */
export interface Part {
  readonly data: ArrayData;
  readonly indices: readonly number[];
}

/** Shape of a batch of each array. */
export function batchShapes(data: ArrayData, batch: number): ReadonlyMap<string, readonly number[]> {
  return data.cut === 'examples'
    ? new Map([...data.shapes].map(([name, shape]) => [name, [batch, ...shape]]))
    : data.shapes;
}

/** All arrays of one batch: rows gathered, or the whole of it. */
export async function batchArrays(
  data: ArrayData,
  rows: readonly number[],
): Promise<ReadonlyMap<string, Tensor>> {
  if (data.cut === 'files') return readArrays(data.files, data.batches[rows[0]!]!);
  const out = new Map<string, Tensor>();
  for (const [name, { tensor }] of data.arrays) {
    const each = sizeOf(tensor.shape.slice(1));
    const row = (i: number): TypedArray => tensor.data.subarray(i * each, (i + 1) * each);
    if (data.cut === 'batches') {
      out.set(name, { ...tensor, shape: tensor.shape.slice(1), data: row(rows[0]!) });
      continue;
    }
    const values = new (tensor.data.constructor as new (n: number) => TypedArray)(each * rows.length);
    rows.forEach((r, i) => {
      values.set(row(r) as never, i * each);
    });
    out.set(name, { ...tensor, shape: [rows.length, ...tensor.shape.slice(1)], data: values });
  }
  return out;
}
