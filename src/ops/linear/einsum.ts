/** @file Einsum over any number of operands, with ellipsis and diagonals, written out as matrix products. */
import { stringAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import { Contradiction, type Shape, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { commonType, nodeLabel } from '../entries/common.ts';
import { stagedSum } from '../reduction/sums.ts';
import type { Operator } from '../types.ts';

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
    throw new Contradiction(`${nodeLabel(node)}: equation "${equation}" ${what}.`);
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

/** A tensor and the label of each of its axes. */
interface Operand {
  readonly value: Value;
  readonly term: readonly string[];
}

/** The axes in the order of `term`, which names them all. */
const ordered = (g: Builder, o: Operand, term: readonly string[]): Value =>
  g.transpose(
    o.value,
    term.map((c) => o.term.indexOf(c)),
  );

/** A label that an operand has twice takes the diagonal: every (n + 1)-th element of the two axes laid out as one. */
function diagonal(g: Builder, o: Operand): Operand {
  const twice = o.term.find((c, i) => o.term.indexOf(c) !== i);
  if (twice === undefined) return o;
  const [p, q] = [o.term.indexOf(twice), o.term.lastIndexOf(twice)];
  const rest = o.term.map((_, i) => i).filter((i) => i !== p && i !== q);
  const n = o.value.shape[p]!;
  const shape = rest.map((i) => o.value.shape[i]!);
  const flat = g.reshape(g.transpose(o.value, [...rest, p, q]), [...shape, n * n]);
  const value = n < 2 ? flat : g.slice(flat, [0], [n * n], [rest.length], [n + 1]);
  return diagonal(g, { value, term: [...rest.map((i) => o.term[i]!), twice] });
}

/** Sums the axes whose labels are not kept. */
function summed(g: Builder, o: Operand, kept: ReadonlySet<string>): Operand {
  const axes = o.term.flatMap((c, i) => (kept.has(c) ? [] : [i]));
  return { value: stagedSum(g, o.value, axes), term: o.term.filter((c) => kept.has(c)) };
}

/** Without the axes of length 1 that the other operand has longer: it alone says where those go. */
function narrowed(g: Builder, o: Operand, other: Operand): Operand {
  const stays = o.term.map((c, i) => {
    const k = other.term.indexOf(c);
    return k < 0 || o.value.shape[i] !== 1 || other.value.shape[k] === 1;
  });
  const value = g.reshape(
    o.value,
    o.value.shape.filter((_, i) => stays[i]),
  );
  return { value, term: o.term.filter((_, i) => stays[i]) };
}

/** The product of two operands, summed over the labels that are not kept: one matrix product, or an elementwise one. */
function contracted(g: Builder, first: Operand, second: Operand, kept: ReadonlySet<string>): Operand {
  const a0 = narrowed(g, first, second);
  const b0 = narrowed(g, second, first);
  const a = summed(g, a0, new Set([...kept, ...b0.term]));
  const b = summed(g, b0, new Set([...kept, ...a0.term]));
  const shared = a.term.filter((c) => b.term.includes(c));
  const batch = shared.filter((c) => kept.has(c));
  const inner = shared.filter((c) => !kept.has(c));
  const rows = a.term.filter((c) => !shared.includes(c));
  const columns = b.term.filter((c) => !shared.includes(c));
  const length = (c: string): number =>
    a.term.includes(c) ? a.value.shape[a.term.indexOf(c)]! : b.value.shape[b.term.indexOf(c)]!;
  const size = (labels: readonly string[]): number => sizeOf(labels.map(length));
  const left = ordered(g, a, [...batch, ...rows, ...inner]);
  const right = ordered(g, b, [...batch, ...inner, ...columns]);
  const term = [...batch, ...rows, ...columns];
  if (inner.length === 0) {
    const column = g.reshape(left, [...[...batch, ...rows].map(length), ...columns.map(() => 1)]);
    const row = g.reshape(right, [...batch.map(length), ...rows.map(() => 1), ...columns.map(length)]);
    return { value: g.mul(column, row), term };
  }
  const stack = batch.length > 0 ? [size(batch)] : [];
  const product = g.matMul(
    g.reshape(left, [...stack, size(rows), size(inner)]),
    g.reshape(right, [...stack, size(inner), size(columns)]),
  );
  return { value: g.reshape(product, term.map(length)), term };
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
  // Pair by pair from the left, as matrix products: what onnxruntime does on the CPU, and many times faster than its shader for WebGPU.
  expand: (g, node, inputs) => {
    const values = inputs as Value[];
    const { terms, result } = parse(
      node,
      values.map((v) => v.shape),
    );
    const operands = values.map((value, i) => diagonal(g, { value, term: terms[i]! }));
    const needed = (after: number): ReadonlySet<string> =>
      new Set([...result, ...operands.slice(after).flatMap((o) => o.term)]);
    const total = operands
      .slice(1)
      .reduce((a, b, i) => contracted(g, a, b, needed(i + 2)), summed(g, operands[0]!, needed(1)));
    return [ordered(g, total, result)];
  },
};
