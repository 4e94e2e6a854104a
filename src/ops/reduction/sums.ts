/** @file Sums and means that stay accurate in float32 where many elements are added. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { sizeOf } from '#src/onnx/tensor.ts';

/** Kernels that add one by one lose about n·2⁻²⁴; above this many elements a sum goes in stages. */
const longSum = 1 << 12;

/** Largest divisor of n up to √n: the number of rows when n elements are summed in two stages. */
function rowsOf(n: number): number {
  for (let d = Math.floor(Math.sqrt(n)); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

function reduce(
  g: Builder,
  op: 'ReduceSum' | 'ReduceMean',
  x: Value,
  axes: readonly number[],
  keepdims: boolean,
): Value {
  const emit = (v: Value, over: readonly number[], keep: boolean): Value =>
    over.length === 0 ? v : g.emit(op, [v, g.ints(over)], { keepdims: Number(keep) });
  const shape = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const kept = x.shape.filter((_, i) => !axes.includes(i));
  const count = sizeOf(axes.map((i) => x.shape[i]!));
  if (count <= longSum) return emit(x, axes, keepdims);
  const sorted = [...axes].sort((a, b) => a - b);
  // The last reduced axis first; a single long one is folded into a near square.
  const last = sorted.at(-1)!;
  const length = x.shape[last]!;
  const rows = rowsOf(length);
  if (sorted.length > 1 && length > 1) {
    const rest = reduce(g, op, reduce(g, op, x, [last], true), sorted.slice(0, -1), true);
    return g.reshape(rest, keepdims ? shape : kept);
  }
  if (sorted.length > 1)
    return g.reshape(reduce(g, op, x, sorted.slice(0, -1), true), keepdims ? shape : kept);
  if (rows === 1) return emit(x, axes, keepdims);
  const square = g.reshape(x, [...x.shape.slice(0, last), rows, length / rows, ...x.shape.slice(last + 1)]);
  const partial = emit(emit(square, [last + 1], true), [last, last + 1], false);
  return g.reshape(partial, keepdims ? shape : kept);
}

/** Σ x over the axes (0 … rank − 1), in stages where there are many elements. Prefer it over one ReduceSum for losses, norms and bias gradients. */
export const stagedSum = (g: Builder, x: Value, axes: readonly number[], keepdims = false): Value =>
  reduce(g, 'ReduceSum', x, axes, keepdims);

/** Mean of x over the axes, in stages where there are many elements. */
export const stagedMean = (g: Builder, x: Value, axes: readonly number[], keepdims = false): Value =>
  reduce(g, 'ReduceMean', x, axes, keepdims);
