/** @file Rows of tensors, one after another. */
import type { TypedArray } from '#src/onnx/tensor.ts';

/** The arrays end to end, in the element type of the first; there is one at least. */
export function joined<T extends TypedArray>(rows: readonly T[]): T {
  const length = rows.reduce((n, row) => n + row.length, 0);
  const Type = rows[0]!.constructor as new (length: number) => T;
  const out = new Type(length);
  let at = 0;
  for (const row of rows) {
    // A set of one element type: the rows are alike.
    (out as unknown as Float32Array).set(row as unknown as Float32Array, at);
    at += row.length;
  }
  return out;
}

/** Matrices of so many rows side by side. */
export function joinedColumns(parts: readonly Float32Array[], rows: number): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const widths = parts.map((part) => part.length / rows);
  const pieces = Array.from({ length: rows }, (_, row) =>
    parts.map((part, i) => part.subarray(row * widths[i]!, (row + 1) * widths[i]!)),
  );
  return joined(pieces.flat());
}
