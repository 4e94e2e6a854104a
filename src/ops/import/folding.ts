/** @file Evaluates elementwise operators on constants: integers exactly (64 bit), floats in double precision rounded once. */
import type { DType, Node } from '#src/onnx/model.ts';
import { sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { broadcastShapes } from '../entries/common.ts';
import type { Operator } from '../types.ts';

type Fold = NonNullable<Operator['fold']>;

/** One operation, on floats and on integers. undefined: not for this type or these operands. */
export interface Scalar {
  readonly float?: (...x: number[]) => number;
  readonly int?: (...x: bigint[]) => bigint | undefined;
}

const floatTypes: readonly DType[] = ['float32', 'float64'];
const unfoldable: readonly DType[] = ['float16', 'bfloat16', 'string', 'int4', 'uint4'];

/** Number of bits of an integer type. */
const bits: Partial<Record<DType, number>> = {
  int64: 64,
  int32: 32,
  int16: 16,
  int8: 8,
  uint64: 64,
  uint32: 32,
  uint16: 16,
  uint8: 8,
};

function store(type: DType, shape: readonly number[], values: readonly bigint[]): Tensor {
  const width = bits[type];
  if (width === undefined) return tensor(type, shape, values.map(Number));
  const wrap = type.startsWith('u') ? BigInt.asUintN : BigInt.asIntN;
  if (width < 64)
    return tensor(
      type,
      shape,
      values.map((v) => Number(wrap(width, v))),
    );
  const data = (type === 'int64' ? BigInt64Array : BigUint64Array).from(values.map((v) => wrap(64, v)));
  return { type, shape, data: data };
}

/** For every element of `to`, the flat index of the element of `from` that broadcasting puts there. */
export function broadcastIndices(from: readonly number[], to: readonly number[]): Int32Array {
  let index = new Int32Array(1);
  let stride = 1;
  for (let i = 0; i < from.length; i++) stride *= from[i]!;
  for (let i = 0; i < to.length; i++) {
    const d = from[i - to.length + from.length] ?? 1;
    if (i >= to.length - from.length) stride = d === 0 ? 0 : stride / d;
    const next = new Int32Array(index.length * to[i]!);
    for (let a = 0, k = 0; a < index.length; a++)
      for (let b = 0; b < to[i]!; b++) next[k++] = index[a]! + (d === 1 ? 0 : b * stride);
    index = next;
  }
  return index;
}

/** f of the operands' elements, one after another; of one and two, which may be millions of weights, without a list for each. */
function computed(
  f: NonNullable<Scalar['float']>,
  tensors: readonly Tensor[],
  index: readonly (Int32Array | undefined)[],
  count: number,
): Float64Array {
  const values = new Float64Array(count);
  const data = tensors.map((t) => t.data as Float32Array | Float64Array);
  const [a, b] = data;
  const [ia, ib] = index;
  if (data.length === 1) for (let i = 0; i < count; i++) values[i] = f(a![ia ? ia[i]! : i]!);
  else if (data.length === 2)
    for (let i = 0; i < count; i++) values[i] = f(a![ia ? ia[i]! : i]!, b![ib ? ib[i]! : i]!);
  else for (let i = 0; i < count; i++) values[i] = f(...data.map((x, k) => x[index[k]?.[i] ?? i]!));
  return values;
}

/** Folds an elementwise operator; `result` is the output's type where it is not that of the first input. */
export const foldElementwise =
  (operation: (node: Node) => Scalar | undefined, result?: DType): Fold =>
  (node, inputs) => {
    const tensors = inputs.filter((t) => t !== null);
    const type = tensors[0]?.type;
    if (type === undefined || tensors.length !== inputs.length) return undefined;
    if (tensors.some((t) => t.type !== type) || unfoldable.includes(type)) return undefined;
    const op = operation(node);
    const shape = broadcastShapes(
      node,
      tensors.map((t) => t.shape),
    );
    const count = sizeOf(shape);
    const index = tensors.map((t) =>
      t.data.length === count ? undefined : broadcastIndices(t.shape, shape),
    );
    if (floatTypes.includes(type)) {
      const f = op?.float;
      if (!f) return undefined;
      return [tensor(result ?? type, shape, computed(f, tensors, index, count))];
    }
    const f = op?.int;
    if (!f) return undefined;
    const values: bigint[] = [];
    for (let i = 0; i < count; i++) {
      const v = f(...tensors.map((t, k) => BigInt(t.data[index[k]?.[i] ?? i]!)));
      if (v === undefined) return undefined;
      values.push(v);
    }
    return [store(result ?? type, shape, values)];
  };
