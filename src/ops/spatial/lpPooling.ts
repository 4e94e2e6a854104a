/** @file LpPool and GlobalLpPool: (Σ |x|ᵖ)^(1/p) over windows, written out. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { requiredInput, scalarLike } from '../entries/common.ts';
import { globalShape, pooledShape, poolWindows } from './pooling.ts';
import { stagedSum } from '../reduction/sums.ts';
import type { Operator } from '../types.ts';
import { taps } from './unfold.ts';

const exponent = (node: Node): number => intAttr(node, 'p', 2);

function power(g: Builder, x: Value, p: number): Value {
  if (p === 2) return g.mul(x, x);
  const size = g.emit('Abs', [x]);
  return p === 1 ? size : g.emit('Pow', [size, scalarLike(g, p, x)]);
}

/** The p-th root of a sum that is 0 or more; its slope at 0 is taken as 0, as for a norm. */
function root(g: Builder, sum: Value, p: number): Value {
  if (p === 1) return sum;
  const k = (v: number): Value => scalarLike(g, v, sum);
  const positive = g.emit('Greater', [sum, k(0)]);
  const safe = g.where(positive, sum, k(1));
  return g.where(positive, p === 2 ? g.sqrt(safe) : g.emit('Pow', [safe, k(1 / p)]), k(0));
}

export const LpPool: Operator = {
  shape: (ctx) => [{ type: requiredInput(ctx, 0).type, shape: pooledShape(ctx) }],
  // The sum over a window is one sum per axis: k + k taps instead of k·k. Padding is 0, which adds nothing.
  expand: (g, node, [x]) => {
    const p = exponent(node);
    const sum = poolWindows(node, x!).reduce(
      (v, axis, i) => taps(g, v, i + 2, axis).reduce((a, b) => g.add(a, b)),
      power(g, x!, p),
    );
    return [root(g, sum, p)];
  },
};

export const GlobalLpPool: Operator = {
  shape: globalShape,
  expand: (g, node, [x]) => {
    const p = exponent(node);
    const spatial = x!.shape.map((_, i) => i).slice(2);
    return [root(g, stagedSum(g, power(g, x!, p), spatial, true), p)];
  },
};
