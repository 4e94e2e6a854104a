/**
 * @file What stands behind a product of whole numbers in a file, in whatever order: int32 addends, a Cast to float, and scales. They belong to the
 * weight: (a·W)·s = a·(W·s).
 */
import { castCodes } from '#src/graph/builder.ts';
import { intAttr } from '#src/graph/attributes.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import type { Walk } from './walk.ts';

export interface Chain {
  /** The nodes that are taken along, the last of which makes `output`. */
  readonly nodes: readonly Node[];
  readonly output: string;
  /** Constants that the product is multiplied by. */
  readonly scales: readonly string[];
  /** Whole numbers that are added to it before. */
  readonly addends: readonly string[];
}

/** The constants whose product a value is; undefined: something else is in it. */
export function factors(walk: Walk, name: string, deep = 0): readonly string[] | undefined {
  const own = walk.resolve(name);
  if (own === walk.one) return [];
  if (walk.constant(own)) return [own];
  const node = walk.producer(own);
  if (deep > 8 || node?.domain !== '' || node.op !== 'Mul') return undefined;
  const parts = node.inputs.map((input) => factors(walk, input, deep + 1));
  return parts.some((p) => p === undefined) ? undefined : parts.flatMap((p) => p!);
}

/** The operand of a commutative node beside the given one. */
const beside = (node: Node, name: string): string | undefined => {
  const rest = node.inputs.filter((input) => input !== name);
  return rest.length === 1 ? rest[0] : undefined;
};

/**
 * The chain behind a product.
 * @param channels how many numbers lie along the axis of the product that may have a scale each, and how many axes are behind it; null: none may
 * @returns undefined where no Cast to float32 is reached
 */
export function chainBehind(
  walk: Walk,
  product: Node,
  channels: { readonly count: number; readonly behind: number } | null,
): Chain | undefined {
  const nodes: Node[] = [];
  const scales: string[] = [];
  const addends: string[] = [];
  let output = product.outputs[0]!;
  const state = { cast: false };
  const fits = (scale: string): boolean => {
    const { shape } = walk.constant(scale)!;
    if (sizeOf(shape) === 1) return true;
    return (
      channels !== null &&
      sizeOf(shape) === channels.count &&
      shape[shape.length - 1 - channels.behind] === channels.count &&
      walk.numbers(scale) !== undefined
    );
  };
  /** Takes the node along, if it belongs to the chain. */
  const taken = (node: Node): boolean => {
    if (node.domain !== '') return false;
    if (node.op === 'Cast') {
      if (state.cast || intAttr(node, 'to', 0) !== castCodes.float32) return false;
      state.cast = true;
      return true;
    }
    const other = beside(node, output);
    if (other === undefined) return false;
    if (node.op === 'Add' && !state.cast && !walk.depends(other) && walk.constant(other)) {
      addends.push(other);
      return true;
    }
    const found = node.op === 'Mul' && state.cast ? factors(walk, other) : undefined;
    if (!found?.every(fits)) return false;
    scales.push(...found);
    return true;
  };
  for (;;) {
    const next = walk.soleReader(output);
    if (!next || !taken(next)) break;
    nodes.push(next);
    output = next.outputs[0]!;
  }
  return state.cast ? { nodes, output, scales, addends } : undefined;
}
