/** @file Einsum over any number of operands, with ellipsis; gradients are Einsums of the other operands and the cotangent. */
import { stringAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import { GraphError, type Shape, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { commonType, nodeLabel } from './common.ts';
import type { GradContext, Operator } from './types.ts';

/** One index label per axis of every operand and of the result: an ellipsis is spelled out, aligned to the right. */
interface Equation {
  readonly terms: readonly (readonly string[])[];
  readonly result: readonly string[];
  /** Size of each index; 1 only where every operand has 1. */
  readonly sizes: ReadonlyMap<string, number>;
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function parse(node: Node, shapes: readonly Shape[]): Equation {
  const equation = stringAttr(node, 'equation', '').replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const fail = (what: string): never => {
    throw new GraphError(`${nodeLabel(node)}: equation "${equation}" ${what}.`);
  };
  const parts = left.split(',');
  if (parts.length !== shapes.length) fail(`has ${parts.length} operands, but the node ${shapes.length}`);
  const unused = [...letters].filter((c) => !equation.includes(c));
  const dots = parts.map((p, i) => (p.includes('...') ? shapes[i]!.length - (p.length - 3) : 0));
  const width = Math.max(0, ...dots);
  if (width > unused.length) fail('has too many axes');
  const ellipsis = unused.slice(0, width);
  const spell = (term: string, count: number): string[] => {
    const [before, after] = term.split('...');
    return after === undefined
      ? [...term]
      : [...before!, ...ellipsis.slice(ellipsis.length - count), ...after];
  };
  const terms = parts.map((p, i) => spell(p, dots[i]!));
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    const shape = shapes[i]!;
    if (term.length !== shape.length)
      fail(`gives operand ${i} ${term.length} axes, but its shape is [${shape.join()}]`);
    term.forEach((c, k) => {
      const known = sizes.get(c) ?? 1;
      const d = shape[k]!;
      if (known !== 1 && d !== 1 && d !== known) fail(`gives the index ${c} the sizes ${known} and ${d}`);
      sizes.set(c, Math.max(known, d));
    });
  });
  const once = (c: string): boolean => terms.flat().filter((x) => x === c).length === 1;
  const implicit = [...sizes.keys()].filter((c) => !ellipsis.includes(c) && once(c)).sort();
  const result = right === undefined ? [...ellipsis, ...implicit] : spell(right, width);
  for (const c of result) if (!sizes.has(c)) fail(`has the index ${c} only in its result`);
  return { terms, result, sizes };
}

/** Σ over all indices that `to` lacks; indices of `to` that no operand has come out as unit axes. */
function contract(
  g: Builder,
  operands: readonly { value: Value; term: readonly string[] }[],
  to: readonly string[],
  kept: (c: string) => boolean,
): Value {
  const present = to.filter(kept);
  const equation = `${operands.map((o) => o.term.join('')).join()}->${present.join('')}`;
  const out = g.emit(
    'Einsum',
    operands.map((o) => o.value),
    { equation },
  );
  let i = 0;
  return g.reshape(
    out,
    to.map((c) => (kept(c) ? out.shape[i++]! : 1)),
  );
}

function gradient({ g, node, inputs, grads, wants }: GradContext): (Value | null)[] {
  const values = inputs as Value[];
  const { terms, result, sizes } = parse(
    node,
    values.map((v) => v.shape),
  );
  return values.map((v, i) => {
    if (!wants[i]) return null;
    const term = terms[i]!;
    if (new Set(term).size !== term.length)
      throw new GraphError(
        `${nodeLabel(node)}: has no gradient for an operand with a repeated index (${term.join('')}). Export the model with the diagonal written as a product with a mask.`,
      );
    const operands = [
      { value: grads[0]!, term: result },
      ...values.flatMap((value, k) => (k === i ? [] : [{ value, term: terms[k]! }])),
    ];
    const elsewhere = new Set(operands.flatMap((o) => o.term));
    // An axis of size 1 that broadcast is summed by leaving its index out; an index that only this operand has is copied along.
    const kept = (c: string): boolean =>
      elsewhere.has(c) && (v.shape[term.indexOf(c)] === sizes.get(c) || sizes.get(c) === 1);
    const partial = contract(g, operands, term, kept);
    return partial.shape.join() === v.shape.join() ? partial : g.expand(partial, v.shape);
  });
}

export const Einsum: Operator = {
  shape: (ctx) => {
    const values = ctx.inputs.filter((v) => v !== null);
    const { result, sizes } = parse(
      ctx.node,
      values.map((v) => v.shape),
    );
    return [{ type: commonType(ctx.node, values), shape: result.map((c) => sizes.get(c)!) }];
  },
  grad: gradient,
  webgpu: (_, inputs) => ['float32', 'float16'].includes(inputs[0]!.type),
};
