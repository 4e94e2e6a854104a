/** @file S = Σ_t y′_t (∂y′_t)ᵀ by diagonal blocks: what the rotation's gradient needs of a layer's output and its cotangent. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { PlannedLayer } from './types.ts';

/**
 * @param y the layer's output: linear [..., out], conv [N, out, spatial…]
 * @param dy its cotangent, same shape
 * @param bias [out] that y contains and that was not rotated: its share bias ⊗ Σ_t dy_t is taken off; null: none
 * @returns S [n, b, b], S[k, i, j] = Σ_t (y − bias)[k·b + i] · dy[k·b + j]
 */
export function blockGram(g: Builder, planned: PlannedLayer, y: Value, dy: Value, bias: Value | null): Value {
  const { count: n, size: b, layer } = planned;
  const total = y.shape.reduce((p, d) => p * d, 1);
  let gram: Value;
  let sum: Value | null = null;
  if (layer.kind === 'conv') {
    const batch = y.shape[0]!;
    const shape = [batch, n, b, total / batch / layer.out];
    const dyBlocks = g.reshape(dy, shape);
    const each = g.matMul(g.reshape(y, shape), g.mT(dyBlocks));
    gram = batch === 1 ? g.reshape(each, [n, b, b]) : g.reduceSum(each, [0]);
    // Last axis first: a plain float32 sum over batch × positions would lose digits.
    if (bias) sum = g.reshape(g.reduceSum(g.reduceSum(dyBlocks, [3]), [0]), [n, 1, b]);
  } else {
    const rows = total / layer.out;
    const shape = [rows, n, b];
    gram = g.matMul(
      g.transpose(g.reshape(y, shape), [1, 2, 0]),
      g.transpose(g.reshape(dy, shape), [1, 0, 2]),
    );
    if (bias) sum = g.reshape(g.reduceSum(g.reshape(dy, [rows, layer.out]), [0]), [n, 1, b]);
  }
  return bias && sum ? g.sub(gram, g.mul(g.reshape(bias, [n, b, 1]), sum)) : gram;
}
