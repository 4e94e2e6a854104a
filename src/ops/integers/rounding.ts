/** @file Where activations are rounded: what stands in for it, and numbers as real ones again. */
import { castCodes } from '#src/graph/builder.ts';
import { intAttr } from '#src/graph/attributes.ts';
import type { Attributes, DType, Node } from '#src/onnx/model.ts';
import { typeOfCode } from '#src/onnx/protobuf.ts';
import { sizeOf, wholeRanges } from '#src/onnx/tensor.ts';
import { fail } from '../entries/arguments.ts';
import type { StandIn } from './types.ts';
import type { Rewrite, Walk } from './walk.ts';

/** They give numbers from 0 to 1. */
const probabilities = new Set(['Softmax', 'Sigmoid']);

/** Checks the scales of activations: finite and above zero, as far as they can be read. */
export function checkScale(walk: Walk, node: Node, name: string): void {
  const wrong = walk.numbers(name)?.find((s) => !(s > 0 && s < Infinity));
  if (wrong !== undefined)
    fail(
      node,
      `its scale ${name} holds ${wrong}, but scales of activations are above 0. The file is damaged; quantise the model again.`,
    );
}

/** Whether both names hold the same: one value, or equal constants; '' is zero. */
export function same(walk: Walk, a: string, b: string): boolean {
  const [x, y] = [walk.resolve(a), walk.resolve(b)];
  if (x === y) return true;
  const zeros = (name: string): boolean =>
    name === '' || (walk.numbers(name)?.every((n) => n === 0) ?? false);
  if (x === '' || y === '') return zeros(x) && zeros(y);
  const [p, q] = [walk.numbers(x), walk.numbers(y)];
  return p !== undefined && q !== undefined && p.length === q.length && p.every((n, i) => n === q[i]);
}

/**
 * A float value as it is behind its rounding to whole numbers of a type.
 * @returns the name of the real value
 */
export function rounded(
  walk: Walk,
  node: Node,
  real: string,
  { scale, zero, type }: Pick<StandIn, 'scale' | 'zero' | 'type'>,
): string {
  checkScale(walk, node, scale);
  if (walk.context.rounding === 'keep') {
    const attributes: Attributes =
      zero === '' && type !== 'uint8'
        ? { output_dtype: { kind: 'int', value: castCodes[type] } as const }
        : {};
    const whole = walk.emit(node, 'QuantizeLinear', [real, scale, zero], { attributes });
    return walk.emit(node, 'DequantizeLinear', [whole, scale, zero]);
  }
  const [s] = walk.numbers(scale) ?? [];
  const z = zero === '' ? 0 : walk.numbers(zero)?.[0];
  const range = wholeRanges[type];
  if (s === undefined || z === undefined || !range)
    fail(
      node,
      `its scale ${scale} or its zero point is computed, but must be stored in the file. Fold constants first, or use the model before it was quantised.`,
    );
  // The steps of probabilities end one short of 1: what is cut there is rounding, and losses look for the Softmax itself.
  const share = probabilities.has(walk.writtenBy(real) ?? '');
  if (share && (range[0] - z) * s <= 0 && (range[1] + 1 - z) * s > 1 - s / 1000) return real;
  const float = walk.constant(scale)!.type;
  const [low, high] = range.map((n) => walk.store('range', float, [], [(n - z) * s]));
  if (walk.clipped(real, low!, high!)) return real;
  const inputs = [real, low!, high!];
  const y =
    walk.context.version >= 11
      ? walk.emit(node, 'Clip', inputs)
      : walk.emit(node, 'Min', [walk.emit(node, 'Max', inputs.slice(0, 2)), high!]);
  walk.limit(y, low!, high!);
  return y;
}

/** Whole numbers as floats, unrounded. */
export function unrounded(walk: Walk, node: Node, { real, scale, zero }: StandIn): string {
  const steps = same(walk, scale, walk.one) ? real : walk.emit(node, 'Div', [real, scale]);
  return same(walk, zero, '') ? steps : walk.emit(node, 'Add', [steps, asFloat(walk, node, zero)]);
}

/** Stored or given whole numbers as floats; a stand-in's unrounded. */
export function asFloat(walk: Walk, node: Node, name: string): string {
  const whole = walk.standIn(name);
  if (whole) return unrounded(walk, node, whole);
  const known = walk.constant(name);
  const numbers = known && sizeOf(known.shape) <= 64 ? walk.numbers(name) : undefined;
  if (known && numbers) return walk.store(`${name}/float`, 'float32', known.shape, numbers);
  return walk.emit(node, 'Cast', [name], { attributes: { to: { kind: 'int', value: castCodes.float32 } } });
}

/** The real numbers (n − zero)·scale of activations, or of whole numbers that the model is given. */
export function realOf(walk: Walk, node: Node, name: string, scale: string, zero: string): string {
  const whole = walk.standIn(name);
  if (!whole) return walk.emit(node, 'DequantizeLinear', [name, scale, zero]);
  if (same(walk, whole.scale, scale) && same(walk, whole.zero, zero)) return whole.real;
  const n = unrounded(walk, node, whole);
  const centred = same(walk, zero, '') ? n : walk.emit(node, 'Sub', [n, asFloat(walk, node, zero)]);
  return walk.emit(node, 'Mul', [centred, scale]);
}

/** One scale for all numbers of the tensor. */
const perTensor = (walk: Walk, scale: string): boolean => {
  const known = walk.constant(scale);
  return known !== undefined && known.shape.length < 2 && sizeOf(known.shape) === 1;
};

/** The type that a node rounds to. */
function typeOf(walk: Walk, node: Node): DType {
  const zero = node.inputs[2];
  const code = intAttr(node, 'output_dtype', 0);
  if (zero) return walk.constant(zero)?.type ?? 'uint8';
  return (code === 0 ? undefined : typeOfCode(code)) ?? 'uint8';
}

/** Of activations, with one stored scale; others and constants stay as they are. */
export const quantizeLinear: Rewrite = (walk, node) => {
  const [x = '', scale = '', zero = ''] = node.inputs;
  if (!walk.depends(x) || walk.standIn(x) || !perTensor(walk, scale)) return false;
  const type = typeOf(walk, node);
  if (!wholeRanges[type]) return false;
  const how = { scale, zero, type };
  walk.stand(node.outputs[0]!, { real: rounded(walk, node, walk.resolve(x), how), ...how });
  return true;
};

export const dequantizeLinear: Rewrite = (walk, node) => {
  const [q = '', scale = '', zero = ''] = node.inputs;
  const wrong = walk.numbers(scale)?.find((s) => !Number.isFinite(s));
  if (wrong !== undefined)
    fail(
      node,
      `its scale ${scale} holds ${wrong}, which no number times it is one. The file is damaged; quantise the model again.`,
    );
  if (!walk.standIn(q)) return false;
  walk.alias(node.outputs[0]!, realOf(walk, node, q, scale, zero));
  return true;
};

/**
 * Its scale and zero point follow from the data, and cancel wherever its integers are used: x stands for itself, with a scale of 1 and a zero point of
 * 0 for whatever reads them.
 */
export const dynamicQuantizeLinear: Rewrite = (walk, node) => {
  const [y, scale, zero] = node.outputs as [string, string, string];
  const x = walk.resolve(node.inputs[0]!);
  let real = x;
  if (walk.context.rounding === 'keep') {
    const outputs = [y, scale, zero].map((name) => walk.fresh(`${name || y}/rounded`));
    walk.emit(node, 'DynamicQuantizeLinear', [x], { outputs, name: node.name });
    real = walk.emit(node, 'DequantizeLinear', outputs);
  }
  const none = walk.store('zero', 'uint8', [], [0]);
  walk.stand(y, { real, scale: walk.one, zero: none, type: 'uint8' });
  walk.alias(scale, walk.one);
  walk.alias(zero, none);
  return true;
};
