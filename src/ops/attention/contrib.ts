/** @file ONNX Runtime's MultiHeadAttention and Attention (domain com.microsoft), as its optimiser writes them. */
import type { Builder } from '#src/graph/builder.ts';
import { floatAttr, intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { fail } from '../entries/arguments.ts';
import {
  afterPast,
  attend,
  bandMask,
  bothOf,
  keyPositions,
  maskBias,
  mergeHeads,
  splitHeads,
  sumOf,
} from './core.ts';
import { scalarLike } from '../entries/common.ts';
import { expanded, needed, refuseInputs } from '../entries/expansion.ts';
import type { Operator } from '../types.ts';

const sharedCache =
  'a cache buffer that past and present share is not supported: training runs whole sequences. Export the model without a cache.';

/**
 * A padding mask of ONNX Runtime's forms as numbers to add. Integers [batch] are lengths, [2·batch] ends then starts, [batch, T] and
 * [batch, S, T] say 1 for keys that are seen, [batch, 1, M, M] is a table for the longest sequence.
 */
function paddingBias(g: Builder, node: Node, mask: Value, q: Value, columns: number): Value {
  const [batch, , rows] = q.shape as [number, number, number];
  const fill = floatAttr(node, 'mask_filter_value', -10000);
  const bias = (allowed: Value): Value => maskBias(g, allowed, q.type, fill);
  const seen = (m: Value): Value => bias(g.emit('Greater', [m, scalarLike(g, 0, m)]));
  const { shape } = mask;
  if (shape.length === 1) {
    const keys = keyPositions(g, columns);
    const column = (v: Value): Value => g.reshape(g.cast(v, 'int32'), [batch, 1, 1, 1]);
    if (shape[0] === batch) return bias(g.emit('Less', [keys, column(mask)]));
    if (shape[0] === 2 * batch) {
      const [ends, starts] = g.split(mask, 0, [batch, batch]) as [Value, Value];
      const before = g.emit('Less', [keys, column(ends)]);
      return bias(bothOf(g, before, g.emit('GreaterOrEqual', [keys, column(starts)]))!);
    }
    fail(
      node,
      `a mask of ${shape[0]} numbers (cumulated lengths) is not supported. Export the model with a mask per token.`,
    );
  }
  if (shape.length === 2) return seen(g.reshape(mask, [shape[0]!, 1, 1, shape[1]!]));
  if (shape.length === 3) return seen(g.reshape(mask, [shape[0]!, 1, shape[1]!, shape[2]!]));
  if (shape.length !== 4)
    fail(
      node,
      `a mask of shape [${shape.join()}] is not supported. Export the model without fused attention.`,
    );
  return seen(g.slice(mask, [columns - rows, 0], [columns, columns], [2, 3]));
}

interface Parts {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly mask: Value | null | undefined;
  readonly bias: Value | null | undefined;
}

function attention(g: Builder, node: Node, { q, k, v, mask, bias }: Parts): { y: Value; scores: Value } {
  const [rows, columns] = [q.shape[2]!, k.shape[2]!];
  const causal = intAttr(node, 'unidirectional', 0) !== 0;
  const band = causal ? bandMask(g, { rows, columns, offset: columns - rows, right: 0 }) : null;
  const padding = mask ? paddingBias(g, node, mask, q, columns) : null;
  const { y, raw } = attend(g, node, {
    q,
    k,
    v,
    scale: floatAttr(node, 'scale', 0) || 1 / Math.sqrt(q.shape[3]!),
    bias: sumOf(g, bias ?? null, sumOf(g, padding, band && maskBias(g, band, q.type))),
  });
  return { y: mergeHeads(g, y), scores: raw };
}

/** Tensors packed as [batch, S, heads, n, size], one after another. */
function unpacked(g: Builder, x: Value): Value[] {
  const [batch, rows, heads, n, size] = x.shape as [number, number, number, number, number];
  return g
    .split(
      x,
      3,
      Array.from({ length: n }, () => 1),
    )
    .map((part) => g.reshape(part, [batch, rows, heads * size]));
}

/** Query, keys and values: three tensors, or packed ones; the bias of the projections is added to those that are new. */
function projections(g: Builder, node: Node, inputs: readonly (Value | null)[]): [Value, Value, Value] {
  const heads = intAttr(node, 'num_heads', 0);
  const query = needed(node, inputs, 0, 'query');
  let flat: Value[];
  if (query.shape.length === 5) flat = unpacked(g, query);
  else {
    const key = needed(node, inputs, 1, 'key');
    if (key.shape.length === 5) flat = [query, ...unpacked(g, key)];
    else flat = [query, key, needed(node, inputs, 2, 'value')];
  }
  const bias = inputs[3];
  const ready = flat.map((x) => x.shape.length === 4);
  if (bias) {
    const widths = flat.map((x) => (x.shape.length === 4 ? x.shape[1]! * x.shape[3]! : x.shape[2]!));
    const parts = g.split(bias, 0, widths);
    flat = flat.map((x, i) => (ready[i] ? x : g.add(x, parts[i]!)));
  }
  return flat.map((x, i) => (ready[i] ? x : splitHeads(g, node, x, heads))) as [Value, Value, Value];
}

/** Keys and values of four axes are another sequence's, already in heads. Outputs: y, keys and values with the past, raw scores. */
export const MultiHeadAttention: Operator = expanded((g, node, inputs) => {
  refuseInputs(node, inputs, { 8: sharedCache, 9: 'beam search inside the model is not supported.' });
  const [q, newK, newV] = projections(g, node, inputs);
  const k = afterPast(g, inputs[6], newK);
  const v = afterPast(g, inputs[7], newV);
  const { y, scores } = attention(g, node, { q, k, v, mask: inputs[4], bias: inputs[5] });
  return [y, k, v, scores];
});

/** One projection gives query, keys and values. The past, and the present output, stack keys and values on a first axis. */
export const contribAttention: Operator = expanded((g, node, inputs) => {
  if (intAttr(node, 'past_present_share_buffer', 0) !== 0) fail(node, sharedCache);
  if (intAttr(node, 'do_rotary', 0) !== 0)
    fail(
      node,
      'rotary embedding inside this operator is not supported. Export the model with separate operators.',
    );
  const x = needed(node, inputs, 0, 'input');
  const weights = needed(node, inputs, 1, 'weights');
  const heads = intAttr(node, 'num_heads', 0);
  const width = weights.shape[1]!;
  const sizes = intsAttr(node, 'qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const product = g.matMul(x, weights);
  const projected = inputs[2] ? g.add(product, inputs[2]) : product;
  const [q, newK, newV] = g.split(projected, 2, sizes).map((p) => splitHeads(g, node, p, heads)) as [
    Value,
    Value,
    Value,
  ];
  const past = inputs[4];
  const [pastK, pastV] =
    past && past.shape[3] !== 0
      ? g.split(past, 0, [1, 1]).map((p) => g.reshape(p, past.shape.slice(1)))
      : [null, null];
  const k = afterPast(g, pastK, newK);
  const v = afterPast(g, pastV, newV);
  const { y } = attention(g, node, { q, k, v, mask: inputs[3], bias: inputs[5] });
  const stacked = (): Value =>
    g.concat(
      [k, v].map((p) => g.reshape(p, [1, ...p.shape])),
      0,
    );
  return [y, node.outputs[1] ? stacked() : null];
});
