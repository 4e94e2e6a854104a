/** @file Global gradient norm and clipping, as graph. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';

/** √Σ g² over all parts, [1]. Summed part by part and last axis first, since one long float32 sum loses digits. */
export function globalNorm(g: Builder, parts: readonly Value[]): Value {
  const sums = parts.map((p) => {
    const squares = g.mul(p, p);
    const rows = squares.shape.length === 1 ? g.reshape(squares, chunks(squares.shape[0]!)) : squares;
    const inner = g.reduceSum(rows, rows.shape.map((_, i) => i).slice(1), false);
    return g.reduceSum(inner, [0], true);
  });
  return g.sqrt(sums.reduce((a, b) => g.add(a, b)));
}

/** [n] as [rows, columns] with columns near √n. */
function chunks(n: number): [number, number] {
  for (let c = Math.max(1, Math.round(Math.sqrt(n))); c > 1; c--) if (n % c === 0) return [n / c, c];
  return [n, 1];
}

/** torch.nn.utils.clip_grad_norm_: g·min(1, max/(‖g‖ + 1e-6)). */
export function clipped(g: Builder, gradient: Value, norm: Value, max: number): Value {
  return g.mul(gradient, g.emit('Min', [g.scalar(1), g.div(g.scalar(max), g.add(norm, g.scalar(1e-6)))]));
}
