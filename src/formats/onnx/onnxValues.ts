/** @file Values of a weight where a node of the model sees it: constants behind any operators that can be computed here. */
import { roundEven } from '#src/platform/roundEven.ts';
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import { constantOfNode } from '#src/onnx/constantNodes.ts';
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from '#src/onnx/float16.ts';
import { type Constant, type DType, ModelError, type ModelGraph, type Node } from '#src/onnx/model.ts';
import { typeOfCode } from '#src/onnx/protobuf.ts';
import { numbersOf, sizeOf, type Tensor, tensor, tensorOf, wholeRanges } from '#src/onnx/tensor.ts';
import { builder, operatorKey, operators } from '#src/ops/table.ts';

/** Numbers of any type in float64. */
export interface Values {
  readonly type: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Names that one graph and those around it know. */
export class ModelScope {
  readonly #producers: ReadonlyMap<string, Node>;
  constructor(
    readonly graph: ModelGraph,
    readonly outer?: ModelScope,
  ) {
    this.#producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  }

  /** The constant of that name: an initializer, or what a Constant node makes. */
  constant(name: string): Constant | undefined {
    const own = this.graph.initializers.get(name);
    if (own) return own;
    const node = this.#producers.get(name);
    if (node) return constantOfNode(node);
    return this.outer?.constant(name);
  }

  producer(name: string): Node | undefined {
    if (this.graph.initializers.has(name)) return undefined;
    return this.#producers.get(name) ?? this.outer?.producer(name);
  }
}

/**
 * A value that hangs on constants alone: in float64 through Transpose, Cast and DequantizeLinear, in the model's own precision through others.
 * @param opset version of the standard operators in the file
 * @throws ModelError for a step that depends on an input, or that cannot be computed here
 */
export function evaluate(scope: ModelScope, name: string, opset: number): Values {
  if (scope.constant(name)) return constantValues(scope, name);
  const node = scope.producer(name);
  if (!node) return constantValues(scope, name);
  const [first = ''] = node.inputs;
  if (node.domain === '') {
    if (node.op === 'Identity' || node.op === 'Dropout') return evaluate(scope, first, opset);
    if (node.op === 'Transpose') return transposed(evaluate(scope, first, opset), intsAttr(node, 'perm'));
    if (node.op === 'DequantizeLinear') return dequantized(scope, node, evaluate(scope, first, opset));
    if (node.op === 'QuantizeLinear') return quantized(scope, node, evaluate(scope, first, opset));
    const to = node.op === 'Cast' ? typeOfCode(intAttr(node, 'to', 0)) : undefined;
    if (to && isFloat(to)) return cast(evaluate(scope, first, opset), to);
  }
  return folded(scope, node, name, opset);
}

/** What the operator table computes of a node. */
function folded(scope: ModelScope, original: Node, name: string, opset: number): Values {
  const refuse = (): never => {
    throw new ModelError(
      `A weight is computed by ${original.op} ${original.name || name}, which cannot be merged into. Save the adapter's own file.`,
    );
  };
  const made = builder();
  const node = operators[operatorKey(original)]?.convert?.(original, opset, made) ?? original;
  let float: DType | undefined;
  const inputs = node.inputs.map((input) => {
    if (input === '') return null;
    const constant = made.constants.get(input);
    if (constant) return tensorOf(constant);
    const values = evaluate(scope, input, opset);
    if (isFloat(values.type)) float ??= values.type;
    return tensorFrom(values);
  });
  const results = operators[operatorKey(node)]?.fold?.(node, inputs);
  const result = results?.[original.outputs.indexOf(name)] ?? refuse();
  const values = { type: result.type, shape: result.shape, data: Float64Array.from(numbersOf(result)) };
  return result.type === 'float32' && float ? cast(values, float) : values;
}

/** For operators that know single precision: other floats are computed in it. */
const tensorFrom = ({ type, shape, data }: Values): Tensor =>
  tensor(isFloat(type) ? 'float32' : type, shape, data);

const isFloat = (type: DType): boolean => type.includes('float');

/** The values of a constant, int4 and uint4 one by one. */
export function constantValues(scope: ModelScope, name: string): Values {
  const constant = scope.constant(name);
  if (!constant)
    throw new ModelError(
      `The value ${name} behind a weight is not constant: it cannot be merged. Save the adapter's own file.`,
    );
  const data = /^u?int4$/.test(constant.type) ? nibbles(constant) : numbersOf(tensorOf(constant));
  return { type: constant.type, shape: constant.shape, data: Float64Array.from(data) };
}

/** int4 and uint4: two per byte, low nibble first. */
function nibbles(constant: Constant): number[] {
  const bytes = tensorOf(constant).data as Uint8Array;
  return Array.from({ length: sizeOf(constant.shape) }, (_, i) => {
    const x = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
    return constant.type === 'int4' && x > 7 ? x - 16 : x;
  });
}

/** Axes in another order; without `perm` reversed. */
export function transposed(x: Values, perm: readonly number[] | undefined): Values {
  const rank = x.shape.length;
  const order = perm ?? x.shape.map((_, i) => rank - 1 - i);
  const shape = order.map((axis) => x.shape[axis]!);
  const strides = x.shape.map((_, i) => sizeOf(x.shape.slice(i + 1)));
  const data = new Float64Array(x.data.length);
  const index = new Int32Array(rank);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    data[to] = x.data[from]!;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const step = strides[order[axis]!]!;
      from += step;
      if (++index[axis]! < shape[axis]!) break;
      from -= step * shape[axis]!;
      index[axis] = 0;
    }
  }
  return { type: x.type, shape, data };
}

function cast(x: Values, type: DType | undefined): Values {
  const round: ((v: number) => number) | undefined =
    type === 'float32'
      ? Math.fround
      : type === 'float16'
        ? (v) => halfToNumber(numberToHalf(v))
        : type === 'bfloat16'
          ? (v) => bfloatToNumber(numberToBfloat(v))
          : type === 'float64'
            ? (v) => v
            : undefined;
  if (!type || !round)
    throw new ModelError(
      `A weight is cast to ${type ?? 'an unknown type'}; only floating-point weights can be merged. Save the adapter's own file.`,
    );
  return { type, shape: x.shape, data: x.data.map(round) };
}

/** Which scale a number of a tensor has: for the whole tensor, along an axis, or by blocks of it. */
function scaleAt(node: Node, shape: readonly number[], scale: Values): (i: number) => number {
  const asked = intAttr(node, 'axis', 1);
  const axis = asked < 0 ? asked + shape.length : asked;
  const block = intAttr(node, 'block_size', 0);
  if (scale.data.length === 1 && block === 0) return () => 0;
  const length = shape[axis] ?? 1;
  const after = sizeOf(shape.slice(axis + 1));
  const groups = block > 0 ? Math.ceil(length / block) : length;
  if (scale.data.length !== (block > 0 ? (sizeOf(shape) / length) * groups : length))
    throw new ModelError(
      `${node.op} ${node.name}: its scale does not fit its input. Export the model again.`,
    );
  return (i) => {
    const place = Math.floor(i / after) % length;
    return block > 0
      ? (Math.floor(i / after / length) * groups + Math.floor(place / block)) * after + (i % after)
      : place;
  };
}

/** (x − zero point) · scale. */
function dequantized(scope: ModelScope, node: Node, x: Values): Values {
  const scale = constantValues(scope, node.inputs[1] ?? '');
  const zero = node.inputs[2] ? constantValues(scope, node.inputs[2]) : undefined;
  const at = scaleAt(node, x.shape, scale);
  const data = x.data.map((v, i) => {
    const k = at(i);
    return (v - (zero?.data[k] ?? 0)) * scale.data[k]!;
  });
  return cast({ type: scale.type, shape: x.shape, data }, scale.type);
}

/** x / scale + zero point, rounded half to even and clipped: a weight that the file itself rounds, as training for quantisation leaves it. */
function quantized(scope: ModelScope, node: Node, x: Values): Values {
  const scale = constantValues(scope, node.inputs[1] ?? '');
  const zero = node.inputs[2] ? constantValues(scope, node.inputs[2]) : undefined;
  const type = zero?.type ?? typeOfCode(intAttr(node, 'output_dtype', 0)) ?? 'uint8';
  const range = wholeRanges[type];
  if (!range)
    throw new ModelError(
      `${node.op} ${node.name}: rounds a weight to ${type}, which cannot be merged into. Save the adapter's own file.`,
    );
  const at = scaleAt(node, x.shape, scale);
  const data = x.data.map((v, i) => {
    const k = at(i);
    const n = roundEven(Math.fround(v / scale.data[k]!)) + (zero?.data[k] ?? 0);
    return Math.min(range[1], Math.max(range[0], n));
  });
  return { type, shape: x.shape, data };
}
