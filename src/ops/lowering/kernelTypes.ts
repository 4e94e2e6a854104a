/**
 * @file Element types that the kernels of onnxruntime-web 1.30's WebGPU provider take, by operator. Measured: each alone in a session that may
 * not fall back to the CPU (src/runtime/operators.browser.test.ts). No kernel takes int64 or float64 data. An Identity is removed before it runs.
 */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { dataSlots, hasSlot } from './int32.ts';
import type { Operator } from '../types.ts';

const floats: readonly DType[] = ['float32', 'float16'];
const numbers: readonly DType[] = [...floats, 'int32', 'uint32'];
const withBool: readonly DType[] = [...numbers, 'bool'];
const withBytes: readonly DType[] = [...withBool, 'uint8'];

const groups: readonly (readonly [readonly DType[], string])[] = [
  [
    floats,
    'Exp Log Sqrt Reciprocal Erf Sigmoid Tanh Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Neg Abs Relu Floor Ceil Elu ' +
      'LeakyRelu PRelu Softplus Gelu Mish HardSwish ThresholdedRelu Softmax LayerNormalization SimplifiedLayerNormalization ' +
      'InstanceNormalization BatchNormalization Conv ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool Resize ' +
      'MatMul Gemm Slice GatherElements TopK',
  ],
  [
    numbers,
    'Add Sub Mul Div Pow Max Min Clip Equal Less Greater LessOrEqual GreaterOrEqual Where Squeeze Transpose Concat Split Tile Pad GatherND ' +
      'ScatterElements ScatterND CumSum Trilu ArgMax ArgMin ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ' +
      'ReduceSumSquare ReduceLogSum ReduceLogSumExp',
  ],
  [withBool, 'Flatten Unsqueeze'],
  [withBytes, 'Reshape Expand Gather'],
  [['bool'], 'Not And'],
];

const typesOf: ReadonlyMap<string, readonly DType[]> = new Map(
  groups.flatMap(([types, names]) => names.split(' ').map((op) => [op, types] as const)),
);

/** Element types that a standard operator's kernel takes; undefined: not restricted here. */
export const typesTaken = (op: string): readonly DType[] | undefined => typesOf.get(op);

/** Whether WebGPU's kernel for the operator, if it has one, takes the node's element type. */
export function takesType(node: Node, inputs: readonly (Value | null)[]): boolean {
  const types = node.domain === '' ? typesOf.get(node.op) : undefined;
  const type = inputs[node.op === 'Where' ? 1 : 0]?.type;
  return !types || type === undefined || types.includes(type);
}

/** Operators on booleans or bytes that go through int32: those that move elements, and Equal. (Where on booleans has no kernel on wasm either.) */
const throughInt32 = new Set(
  'Transpose Concat Split Tile Pad Squeeze Flatten Unsqueeze GatherND ScatterElements ScatterND Trilu Equal Where'.split(
    ' ',
  ),
);

export const isNarrowable = (op: string): boolean => throughInt32.has(op);

/** The node on int32 operands, its results cast back; undefined where its type needs no such detour. */
export function lowerThroughInt32(
  g: Builder,
  node: Node,
  inputs: readonly (Value | null)[],
  lower: Operator['lower'],
): readonly Value[] | undefined {
  const slots = dataSlots[node.op];
  const slot = inputs.findIndex((_, i) => hasSlot(slots, i));
  const type = inputs[slot]?.type;
  if (node.domain !== '' || !isNarrowable(node.op) || takesType(node, inputs)) return undefined;
  if (type !== 'bool' && type !== 'uint8') return undefined;
  const wide = inputs.map((v, i) => (v && hasSlot(slots, i) ? g.cast(v, 'int32') : v));
  const renamed = { ...node, inputs: wide.map((v) => v?.name ?? '') };
  const results =
    lower?.(g, renamed, wide) ?? g.emitAll(node.op, wide, node.attributes, { outputs: node.outputs.length });
  return node.op === 'Equal' ? results : results.map((v) => g.cast(v, type));
}
