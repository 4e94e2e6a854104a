/** @file Entries for operators that import writes out in others: their shapes, gradients and kernels are those of the parts. */
import { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { constantOf } from '#src/onnx/tensor.ts';
import { fail } from './arguments.ts';
import type { Operator, ShapeContext } from '../types.ts';

/** Emits a node's parts; null for an output that is not computed. */
export type Expansion = (
  g: Builder,
  node: Node,
  inputs: readonly (Value | null)[],
) => readonly (Value | null)[];

/** An entry that is its expansion. Throws GraphError where a node asks for an output that the expansion does not give. */
export function expanded(expansion: Expansion): Operator {
  const expand = (g: Builder, node: Node, inputs: readonly (Value | null)[]): readonly Value[] => {
    const values = expansion(g, node, inputs);
    return node.outputs.map((name, i) => {
      const value = values[i];
      if (value) return value;
      if (name === '') return values[0]!;
      return fail(node, `its output ${i} ("${name}") is not supported. Export the model without it.`);
    });
  };
  return {
    shape: (ctx) => shapesOf(expand, ctx),
    expand,
    lower: expand,
    webgpu: () => false,
  };
}

/** Shapes by expanding into an empty graph. */
function shapesOf(expand: NonNullable<Operator['lower']>, ctx: ShapeContext): readonly Value[] {
  const g = new Builder(ctx.infer);
  const inputs = ctx.inputs.map((v, i) => {
    if (!v) return null;
    const known = g.values.get(v.name);
    if (known) return known;
    const t = ctx.constant(i);
    return t ? g.initializer(v.name, constantOf(t)) : g.input(v.name, v.type, v.shape);
  });
  return expand(g, ctx.node, inputs)!;
}

/** Input i of a node that is being written out. */
export function needed(node: Node, inputs: readonly (Value | null)[], i: number, what: string): Value {
  return (
    inputs[i] ??
    fail(node, `its ${what} (input ${i}) is missing. The file is damaged; export the model again.`)
  );
}

/** Refuses a node that has one of some inputs, saying why. */
export function refuseInputs(
  node: Node,
  inputs: readonly (Value | null)[],
  reasons: Readonly<Record<number, string>>,
): void {
  for (const [i, reason] of Object.entries(reasons)) if (inputs[Number(i)]) fail(node, reason);
}

/** An entry for an operator that is known but not supported: a refusal with the way out. */
export const refused = (reason: string): Operator => ({
  shape: (ctx) => fail(ctx.node, reason),
  refused: reason,
  webgpu: () => false,
});
