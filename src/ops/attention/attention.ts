/** @file The standard domain's Attention (opsets 23 to 25), written out at import. */
import type { Builder } from '#src/graph/builder.ts';
import { floatAttr, intAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { contradicts, fail, typeOfAttribute } from '../entries/arguments.ts';
import {
  afterPast,
  attend,
  bandAround,
  bandMask,
  bothOf,
  keyPositions,
  lowest,
  maskBias,
  mergeHeads,
  splitHeads,
  sumOf,
} from './core.ts';
import { scalarLike } from '../entries/common.ts';
import { expanded, needed } from '../entries/expansion.ts';
import type { Operator } from '../types.ts';

/** Names of an Attention node's inputs by place. */
interface Inputs {
  readonly mask: Value | null;
  /** Valid keys per sequence, int64 [batch]. */
  readonly lengths: Value | null;
  readonly past: number;
}

interface Mask {
  /** Finite numbers to add to the scores. */
  readonly bias: Value | null;
  /** Rows that see any key, [.., S, 1]; null: all do. The others' output is zero. */
  readonly rows: Value | null;
}

const none: Mask = { bias: null, rows: null };

/** A mask whose last axis is shorter than the keys hides the rest of them. */
function padded(g: Builder, mask: Value, columns: number): Value {
  const missing = columns - (mask.shape.at(-1) ?? columns);
  if (missing <= 0) return mask;
  const shape = [...mask.shape.slice(0, -1), missing];
  const hidden = mask.type === 'bool' ? g.constant(tensor('bool', [], [0])) : scalarLike(g, -Infinity, mask);
  return g.concat([mask, g.expand(hidden, shape)], mask.shape.length - 1);
}

/** Whether a mask is known to hold no −∞. */
function isFinite(g: Builder, mask: Value): boolean {
  const known = g.constantValue(mask);
  return known !== undefined && numbersOf(known).every(Number.isFinite);
}

const anyOf = (g: Builder, allowed: Value): Value =>
  g.emit('Greater', [
    g.emit('ReduceMax', [g.cast(allowed, 'float32'), g.ints([-1])], { keepdims: 1 }),
    g.scalar(0),
  ]);

/** Causality, windows, lengths and the mask input together, as numbers to add. */
function maskOf(g: Builder, node: Node, inputs: Inputs, rows: number, columns: number, type: DType): Mask {
  const { lengths } = inputs;
  const causal = intAttr(node, 'is_causal', 0) !== 0;
  const left = intAttr(node, 'left_window_size', -1);
  const right = intAttr(node, 'right_window_size', -1);
  const sides = {
    left: left < 0 ? undefined : left,
    right: causal ? 0 : right < 0 ? undefined : right,
  };
  let allowed: Value | null;
  if (lengths) {
    const ends = g.reshape(g.cast(lengths, 'int32'), [lengths.shape[0]!, 1, 1, 1]);
    const starts = g.constant(
      tensor(
        'int32',
        [rows, 1],
        Array.from({ length: rows }, (_, i) => i - rows),
      ),
    );
    allowed = bothOf(
      g,
      g.emit('Less', [keyPositions(g, columns), ends]),
      bandAround(g, g.add(ends, starts), columns, sides),
    );
  } else allowed = bandMask(g, { rows, columns, offset: inputs.past, ...sides });
  // Causality and a window leave each query its own key, unless keys end before it.
  const mayBeEmpty = lengths !== null || (sides.left !== undefined && columns < inputs.past + rows);
  const mask = inputs.mask && padded(g, inputs.mask, columns);
  if (!mask || mask.type === 'bool') {
    const all = bothOf(g, allowed, mask);
    if (!all) return none;
    return { bias: maskBias(g, all, type), rows: mask || mayBeEmpty ? anyOf(g, all) : null };
  }
  if (isFinite(g, mask) && !mayBeEmpty)
    return { bias: sumOf(g, mask, allowed && maskBias(g, allowed, type)), rows: null };
  const total = allowed ? g.where(allowed, mask, scalarLike(g, -Infinity, mask)) : mask;
  const floor = scalarLike(g, lowest(type), mask);
  const best = g.emit('ReduceMax', [total, g.ints([-1])], { keepdims: 1 });
  return { bias: g.emit('Max', [total, floor]), rows: g.emit('GreaterOrEqual', [best, floor]) };
}

/**
 * Y = softmax(softcap(scale·Q·Kᵀ) + mask)·V. A query that sees no key gives zeros.
 * Outputs: Y, keys and values with the past before them, scores at the stage that qk_matmul_output_mode names.
 */
export const Attention: Operator = expanded((g, node, inputs) => {
  const [Q, K, V] = ['query', 'key', 'value'].map((what, i) => needed(node, inputs, i, what)) as [
    Value,
    Value,
    Value,
  ];
  const flat = Q.shape.length === 3;
  const heads = (x: Value, attribute: string): Value => {
    if (!flat)
      return x.shape.length === 4
        ? x
        : contradicts(node, `inputs must have 3 or 4 axes, not ${x.shape.length}.`);
    return splitHeads(g, node, x, intAttr(node, attribute, 0));
  };
  const past = inputs[4] ?? null;
  if ((past === null) !== ((inputs[5] ?? null) === null))
    fail(
      node,
      'has a past key without a past value, or the other way round. The file is damaged; export the model again.',
    );
  const q = heads(Q, 'q_num_heads');
  const k = afterPast(g, past, heads(K, 'kv_num_heads'));
  const v = afterPast(g, inputs[5], heads(V, 'kv_num_heads'));
  const [rows, columns] = [q.shape[2]!, k.shape[2]!];
  const mask = maskOf(
    g,
    node,
    { mask: inputs[3] ?? null, lengths: inputs[6] ?? null, past: past?.shape[2] ?? 0 },
    rows,
    columns,
    q.type,
  );
  const precision = intAttr(node, 'softmax_precision', 0);
  const result = attend(g, node, {
    q,
    k,
    v,
    scale: floatAttr(node, 'scale', 1 / Math.sqrt(q.shape[3]!)),
    softcap: floatAttr(node, 'softcap', 0),
    bias: mask.bias,
    ...(precision !== 0 && { precision: typeOfAttribute(node, precision) }),
  });
  const guarded = (x: Value): Value => (mask.rows ? g.where(mask.rows, x, scalarLike(g, 0, x)) : x);
  const y = guarded(result.y);
  const scores = (): Value => {
    const mode = intAttr(node, 'qk_matmul_output_mode', 0);
    if (mode === 3) return guarded(result.probabilities);
    return (
      [result.raw, result.capped, result.biased][mode] ??
      contradicts(node, `qk_matmul_output_mode ${mode} is unknown.`)
    );
  };
  return [flat ? mergeHeads(g, y) : y, k, v, node.outputs[3] ? scores() : null];
});
