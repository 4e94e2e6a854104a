/** @file ONNX Runtime's GroupQueryAttention without a cache, as training sees it: the whole sequence at once. */
import type { Builder } from '#src/graph/builder.ts';
import { float, floatAttr, intAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { fail } from '../entries/arguments.ts';
import { attend, bandMask, maskBias, mergeHeads, splitHeads, sumOf } from './core.ts';
import { scalarLike } from '../entries/common.ts';
import { expanded, needed, refuseInputs } from '../entries/expansion.ts';
import { firstRows, rotate } from './rotary.ts';
import type { Operator } from '../types.ts';

const cacheFree =
  'Training runs whole sequences, without a cache: bind the length of the past to 0, or export the model without past keys and values.';

interface Heads {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

/** Query, keys and values in heads, from three tensors or from one that holds all. */
function headsOf(g: Builder, node: Node, inputs: readonly (Value | null)[]): Heads {
  const heads = intAttr(node, 'num_heads', 0);
  const keyHeads = intAttr(node, 'kv_num_heads', heads);
  const query = needed(node, inputs, 0, 'query');
  const split = (x: Value, n: number): Value => splitHeads(g, node, x, n);
  if (inputs[1] && inputs[2])
    return { q: split(query, heads), k: split(inputs[1], keyHeads), v: split(inputs[2], keyHeads) };
  const all = split(query, heads + 2 * keyHeads);
  const [q, k, v] = g.split(all, 1, [heads, keyHeads, keyHeads]) as [Value, Value, Value];
  return { q, k, v };
}

function refuseUnsupported(node: Node, inputs: readonly (Value | null)[]): void {
  for (const i of [3, 4])
    if (inputs[i] && inputs[i].shape[2] !== 0)
      fail(
        node,
        `its past keys and values (${inputs[i].name}) hold ${inputs[i].shape[2]} positions. ${cacheFree}`,
      );
  refuseInputs(node, inputs, {
    12: `its cache is quantised. ${cacheFree}`,
    13: `its cache is quantised. ${cacheFree}`,
    16: 'right-padded chunks (query_seqlens) are not supported. Export the model without them.',
  });
  for (const name of ['k_quant_type', 'v_quant_type'])
    if (stringAttr(node, name, 'NONE') !== 'NONE') fail(node, `its cache is quantised. ${cacheFree}`);
}

/**
 * Causal attention over new keys only, with rotary embedding by position from 0, as the runtime does for a first prompt. Padding is on the
 * right, where causality hides it: `seqlens_k` and `total_sequence_length` change only the rows of padding, which nobody reads.
 */
export const GroupQueryAttention: Operator = expanded((g, node, inputs) => {
  refuseUnsupported(node, inputs);
  const parts = headsOf(g, node, inputs);
  const { v } = parts;
  let { q, k } = parts;
  const rows = q.shape[2]!;
  const columns = k.shape[2]!;
  const common = floatAttr(node, 'qk_norm_epsilon', 1e-6);
  const normal = (x: Value, scale: Value | null | undefined, epsilon: string): Value =>
    scale
      ? g.emit('SimplifiedLayerNormalization', [x, scale], {
          axis: -1,
          epsilon: float(floatAttr(node, epsilon, common)),
          stash_type: 1,
        })
      : x;
  q = normal(q, inputs[14], 'q_norm_epsilon');
  k = normal(k, inputs[15], 'k_norm_epsilon');
  if (intAttr(node, 'do_rotary', 0) !== 0) {
    const [cos, sin] = [7, 8].map((i) => needed(node, inputs, i, 'table of angles')) as [Value, Value];
    const interleaved = intAttr(node, 'rotary_interleaved', 0) !== 0;
    const turn = (x: Value): Value =>
      rotate(g, node, x, {
        cos: firstRows(g, node, cos, x.shape[2]!),
        sin: firstRows(g, node, sin, x.shape[2]!),
        interleaved,
      });
    [q, k] = [turn(q), turn(k)];
  }
  const causal = intAttr(node, 'causal', 1) !== 0;
  const window = intAttr(node, 'local_window_size', -1);
  const allowed = bandMask(g, {
    rows,
    columns,
    offset: 0,
    left: window > 0 ? window - 1 : undefined,
    right: causal ? 0 : undefined,
  });
  const { y, probabilities } = attend(g, node, {
    q,
    k,
    v,
    scale: floatAttr(node, 'scale', 0) || 1 / Math.sqrt(q.shape[3]!),
    softcap: floatAttr(node, 'softcap', 0),
    bias: sumOf(g, inputs[10] ?? null, allowed && maskBias(g, allowed, q.type)),
    sink: sinkOf(g, node, inputs[11], q),
  });
  return [mergeHeads(g, y), k, v, intAttr(node, 'qk_output', 0) === 2 ? probabilities : null];
});

/** The sink's logit for each head, or 0 for all where the softmax is smooth. */
function sinkOf(g: Builder, node: Node, sink: Value | null | undefined, q: Value): Value | null {
  if (sink) return g.reshape(sink, [1, q.shape[1]!, 1, 1]);
  return intAttr(node, 'smooth_softmax', 0) > 0 ? g.expand(scalarLike(g, 0, q), [1, 1, 1, 1]) : null;
}
