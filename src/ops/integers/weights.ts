/** @file Stored whole numbers as the floats that they stand for: DequantizeLinear of a weight, of a bias in steps of a product. */
import type { Attributes, Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { asFloat, realOf } from './rounding.ts';
import type { Walk } from './walk.ts';

/** Numbers of a constant's shape; undefined: it is computed. */
export const countOf = (walk: Walk, name: string): number | undefined => {
  const known = walk.constant(name);
  return known && sizeOf(known.shape);
};

/** A name without what quantisers add to it. */
export const plainName = (name: string): string => name.replace(/_(quant|quantized)$/, '');

/** The constant as a list of `count`, where it has another shape; its own name where it has not. */
function listed(walk: Walk, name: string, count: number): string {
  const known = walk.constant(name);
  const numbers = walk.numbers(name);
  if (!known || !numbers || (known.shape.length === 1 && numbers.length === count)) return name;
  const all = numbers.length === 1 ? Array.from({ length: count }, () => numbers[0]!) : numbers;
  return walk.once(`${name}|${count}`, () => walk.store(`${name}/list`, known.type, [count], all));
}

/**
 * A stored tensor as floats: (q − zero)·scale, per tensor or along an axis. Whole numbers that the model computes of its input are taken as
 * {@link realOf} takes them.
 */
export function real(walk: Walk, node: Node, q: string, scale: string, zero: string, axis: number): string {
  if (walk.depends(q)) return realOf(walk, node, q, scale, zero);
  const counts = [scale, ...(zero === '' ? [] : [zero])].map((name) => countOf(walk, name) ?? 1);
  const count = Math.max(...counts);
  const [s, z] =
    count > 1 ? [listed(walk, scale, count), zero === '' ? '' : listed(walk, zero, count)] : [scale, zero];
  const key = [q, s, z, count > 1 ? axis : ''].join('|');
  return walk.once(key, () => {
    const attributes: Attributes = count > 1 ? { axis: { kind: 'int', value: axis } as const } : {};
    const outputs = [walk.fresh(`${plainName(q)}/dequantised`)];
    return walk.emit(node, 'DequantizeLinear', [q, s, z], { attributes, outputs });
  });
}

/** The product of scales as one, and as a list where one of them is; computed in the graph where it cannot be here. */
export function productOf(walk: Walk, node: Node, stem: string, scales: readonly string[]): string {
  const rest = scales.filter((s) => walk.resolve(s) !== walk.one);
  if (rest.length === 0) return walk.one;
  if (rest.length === 1) return rest[0]!;
  const lists = rest.map((s) => walk.numbers(s));
  if (lists.some((l) => l === undefined)) return rest.reduce((a, b) => walk.emit(node, 'Mul', [a, b]));
  const count = Math.max(...lists.map((l) => l!.length));
  const values = Array.from({ length: count }, (_, i) =>
    lists.reduce((product, l) => product * l![l!.length === 1 ? 0 : i]!, 1),
  );
  return walk.store(`${stem}_scale`, walk.constant(rest[0]!)!.type, count > 1 ? [count] : [], values);
}

/** A stored bias of whole numbers, in steps of the product of activations and weights. */
export function biasOf(walk: Walk, node: Node, bias: string, scales: readonly string[]): string {
  const scale = productOf(walk, node, bias, scales);
  if (!walk.depends(bias)) return real(walk, node, bias, scale, '', 0);
  return walk.emit(node, 'Mul', [asFloat(walk, node, bias), scale]);
}
