/**
 * @file Which part of a node's inputs makes a part of its output: some indices of one axis, where the node treats each index alike and by itself. What is
 * asked for at the end of a model is so asked for at its beginning.
 */
import { intAttr } from '#src/graph/attributes.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { axisIndex } from '#src/ops/entries/common.ts';

/**
 * Where a text's places lie in a tensor: along an axis of groups · places · inner indices, in this order. Heads that share their keys are put side by side as
 * groups, heads that are normalised one by one inside of a place.
 */
export interface Places {
  readonly axis: number;
  readonly groups: number;
  readonly inner: number;
}

/** What a node reads of one input: only the asked places; or all of it. */
export type Need = Places | 'whole';

/** What a node reads of each of its inputs, and what of its output is shaped anew by a shape that it is given. */
export interface Part {
  readonly needs: readonly Need[];
  /** The node takes its result's shape as an input, which the part changes. */
  readonly shaped?: true;
}

/** Each number by itself, of one input. */
const each = new Set(
  (
    'Abs Cast Ceil Celu Clip Cos Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not Reciprocal Relu Round ' +
    'Selu Sigmoid Sign Sin Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu QuickGelu FastGelu'
  ).split(' '),
);
/** Each number by itself, of several inputs that are stretched to one another. */
const together = new Set(
  'Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mod Mul Or Pow PRelu Sub Sum Where Xor BiasGelu'.split(
    ' ',
  ),
);
/** Over the axes from `axis` on. */
const normalising = new Set(['LayerNormalization', 'SimplifiedLayerNormalization', 'RMSNormalization']);
const shaping = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/** Where places lay before a change of shape: with as much before them. null: their axis is cut otherwise. */
function placesBefore(from: Shape, to: Shape, { axis, groups, inner }: Places): Places | null {
  const before = sizeOf(to.slice(0, axis)) * groups;
  const length = to[axis]! / (groups * inner);
  for (let i = 0; i < from.length; i++) {
    const own = before / sizeOf(from.slice(0, i));
    const inside = from[i]! / (own * length);
    if (Number.isInteger(own) && Number.isInteger(inside) && inside > 0)
      return { axis: i, groups: own, inner: inside };
  }
  return null;
}

/** An operand that is stretched: its own axis, or all of it where it has none or one index there. */
function aligned(input: Value, rank: number, places: Places): Need {
  const own = places.axis - (rank - input.shape.length);
  return own < 0 || input.shape[own] === 1 ? 'whole' : { ...places, axis: own };
}

const whole = (inputs: readonly unknown[], first: Need): Part => ({
  needs: inputs.map((_, i) => (i === 0 ? first : 'whole')),
});

/**
 * What makes the part of a node's output that lies at some places.
 * @param inputs null: an optional one that is absent
 * @returns null: nothing less than the whole output tells it
 */
export function partOf(
  node: Node,
  inputs: readonly (Value | null)[],
  output: Value,
  places: Places,
): Part | null {
  const [x, y] = inputs;
  const { axis } = places;
  const rank = output.shape.length;
  if (!x) return null;
  if (each.has(node.op)) return whole(inputs, places);
  if (together.has(node.op)) return { needs: inputs.map((v) => (v ? aligned(v, rank, places) : 'whole')) };
  if (node.domain !== '' && !normalising.has(node.op)) return null;
  if (normalising.has(node.op)) {
    const from = axisIndex(node, intAttr(node, 'axis', -1), rank);
    return axis < from ? whole(inputs, places) : null;
  }
  if (shaping.has(node.op)) {
    const before = placesBefore(x.shape, output.shape, places);
    return before === null ? null : { ...whole(inputs, before), shaped: true };
  }
  switch (node.op) {
    case 'Softmax':
    case 'LogSoftmax':
      return axisIndex(node, intAttr(node, 'axis', -1), rank) === axis ? null : whole(inputs, places);
    case 'MatMul':
      return x.shape.length >= 2 && axis === rank - 2
        ? whole(inputs, { ...places, axis: x.shape.length - 2 })
        : null;
    case 'Gemm': {
      if (axis !== 0 || intAttr(node, 'transA', 0) !== 0) return null;
      const bias = inputs[2];
      return {
        needs: inputs.map((_, i) =>
          i === 0 ? places : i === 2 && bias ? aligned(bias, 2, places) : 'whole',
        ),
      };
    }
    case 'Transpose': {
      const perm = node.attributes.perm;
      const from = perm?.kind === 'ints' ? perm.value[axis]! : rank - 1 - axis;
      return whole(inputs, { ...places, axis: from });
    }
    case 'Expand':
      return { ...whole(inputs, aligned(x, rank, places)), shaped: true };
    case 'Concat':
      return axisIndex(node, intAttr(node, 'axis', 0), rank) === axis
        ? null
        : { needs: inputs.map(() => places) };
    case 'Split':
      return axisIndex(node, intAttr(node, 'axis', 0), rank) === axis ? null : whole(inputs, places);
    case 'Slice':
      // Where an axis is cut its length tells; a cut that leaves it as long may still turn it round.
      return output.shape.every((d, i) => d === x.shape[i] || i !== axis) && cuts(x, output, axis)
        ? whole(inputs, places)
        : null;
    case 'Gather':
      return gathered(node, x, y ?? null, places);
    case 'ReduceSum':
    case 'ReduceMean':
    case 'ReduceMax':
      // Over the last axis, kept: others would need the axes, which are an input.
      return intAttr(node, 'keepdims', 1) === 1 && lastAlone(x, output) && axis < rank - 1
        ? whole(inputs, places)
        : null;
    default:
      return null;
  }
}

/** Whether a Slice changes another axis than this one alone: exactly one axis is shorter, and it is another. */
function cuts(x: Value, output: Value, axis: number): boolean {
  const changed = x.shape.flatMap((d, i) => (d === output.shape[i] ? [] : [i]));
  return changed.length === 1 && changed[0] !== axis;
}

/** Whether the last axis alone was reduced. */
const lastAlone = (x: Value, output: Value): boolean =>
  output.shape.at(-1) === 1 &&
  x.shape.at(-1) !== 1 &&
  output.shape.length === x.shape.length &&
  x.shape.slice(0, -1).every((d, i) => d === output.shape[i]);

function gathered(node: Node, data: Value, indices: Value | null, places: Places): Part | null {
  if (!indices) return null;
  const { axis } = places;
  const at = axisIndex(node, intAttr(node, 'axis', 0), data.shape.length);
  const width = indices.shape.length;
  if (axis < at) return { needs: [places, 'whole'] };
  if (axis < at + width) return { needs: ['whole', { ...places, axis: axis - at }] };
  return { needs: [{ ...places, axis: axis - width + 1 }, 'whole'] };
}
