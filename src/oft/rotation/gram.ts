/** @file S = Σ_t u_t v_tᵀ by diagonal blocks: what the rotation's gradient needs of the values on its two sides. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { PlannedLayer } from '../types.ts';

/**
 * @param u values on the planned side of the layer: linear [..., channels], conv [N, channels, spatial…]
 * @param v likewise, same shape
 * @param bias [width] that u contains and that was not rotated: its share bias ⊗ Σ_t v_t is taken off; null: none
 * @returns S [n, b, b], S[k, i, j] = Σ_t (u − bias)[k·b + i] · v[k·b + j]; [1, b, b], their sum, where blocks are shared
 */
export const blockGram = (g: Builder, planned: PlannedLayer, u: Value, v: Value, bias: Value | null): Value =>
  g.within('gram', () => emitGram(g, planned, u, v, bias));

function emitGram(g: Builder, planned: PlannedLayer, u: Value, v: Value, bias: Value | null): Value {
  const { count: n, size: b, layer, width } = planned;
  const total = u.shape.reduce((p, d) => p * d, 1);
  let gram: Value;
  let sum: Value | null = null;
  if (layer.kind === 'conv') {
    const channels = planned.side === 'output' ? layer.out : layer.in;
    const batch = (u.shape[0]! * channels) / width;
    const shape = [batch, n, b, total / batch / width];
    const vBlocks = g.reshape(v, shape);
    const each = g.matMul(g.reshape(u, shape), g.mT(vBlocks));
    gram = batch === 1 ? g.reshape(each, [n, b, b]) : g.reduceSum(each, [0]);
    // Last axis first: a plain float32 sum over batch × positions would lose digits.
    if (bias) sum = g.reshape(g.reduceSum(g.reduceSum(vBlocks, [3]), [0]), [n, 1, b]);
  } else {
    const rows = total / width;
    const shape = [rows, n, b];
    gram = g.matMul(g.transpose(g.reshape(u, shape), [1, 2, 0]), g.transpose(g.reshape(v, shape), [1, 0, 2]));
    if (bias) sum = g.reshape(g.reduceSum(g.reshape(v, [rows, width]), [0]), [n, 1, b]);
  }
  if (bias && sum) gram = g.sub(gram, g.mul(g.reshape(bias, [n, b, 1]), sum));
  return planned.share && n > 1 ? g.reduceSum(gram, [0], true) : gram;
}
