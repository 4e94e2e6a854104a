/** @file Reading a node's constant arguments (shapes, sizes, axes), with errors that name the node. */
import { type Builder, castCodes } from '#src/graph/builder.ts';
import { Contradiction, GraphError, type Shape, type Value } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { numbersOf, type Tensor } from '#src/onnx/tensor.ts';
import { nodeLabel, scalarLike } from './common.ts';

/** What shape rules and gradient rules both have. */
export interface Arguments {
  readonly node: Node;
  readonly inputs: readonly (Value | null)[];
  constant(i: number): Tensor | undefined;
}

/** Throws a GraphError that names the node. `what` says the way out, too. */
export function fail(node: Node, what: string): never {
  throw new GraphError(`${nodeLabel(node)}: ${what}`);
}

/** Throws a GraphError that names the node, where its inputs, attributes and sizes do not fit one another. */
export function contradicts(node: Node, what: string): never {
  throw new Contradiction(`${nodeLabel(node)}: ${what}`);
}

/** An index in 0 … length − 1; negative ones count from the end. Throws a GraphError that names the node for one outside. */
export function inRange(node: Node, index: number, length: number): number {
  const i = index < 0 ? index + length : index;
  return i >= 0 && i < length
    ? i
    : contradicts(node, `index ${index} is out of range for ${length} elements.`);
}

/** The whole numbers in input i; undefined where the optional input is absent. */
export function optionalInts(ctx: Arguments, i: number, what: string): number[] | undefined {
  const input = ctx.inputs[i];
  if (!input) return undefined;
  const t = ctx.constant(i);
  if (t) return numbersOf(t);
  fail(
    ctx.node,
    `its ${what} (${input.name}) depend on the input data, but the graph needs fixed shapes. Export the model with fixed ones.`,
  );
}

/** The whole numbers in input i, which must be there. */
export const intsOf = (ctx: Arguments, i: number, what: string): number[] =>
  optionalInts(ctx, i, what) ?? contradicts(ctx.node, `its ${what} are missing.`);

/** The element type that an attribute holds as an ONNX code. */
export function typeOfAttribute(node: Node, code: number): DType {
  const found = Object.entries(castCodes).find(([, c]) => c === code);
  return found
    ? (found[0] as DType)
    : fail(node, `element type ${code} is not supported. Export the model in float32.`);
}

/** A tensor of zeros, as one scalar expanded. */
export const zeros = (g: Builder, like: { readonly type: DType; readonly shape: Shape }): Value =>
  g.expand(scalarLike(g, 0, like), like.shape);

/**
 * A tensor padded with zeros along one axis. All axes' pads are given: onnxruntime 1.30 breaks a Pad with an axes input where it
 * moves a Transpose past it.
 */
export function padAxis(g: Builder, x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const at = (n: number): number[] => x.shape.map((_, i) => (i === axis ? n : 0));
  return g.emit('Pad', [x, g.ints([...at(before), ...at(after)]), scalarLike(g, 0, x)]);
}
