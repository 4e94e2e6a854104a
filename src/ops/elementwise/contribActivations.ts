/** @file ONNX Runtime's own activations (domain com.microsoft), for models that its optimiser wrote. */
import { floatAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import { scalarLike } from '../entries/common.ts';
import { geluGrad, tanhGeluGrad } from './gelu.ts';
import { sameAsInput, unary } from './pointwise.ts';
import type { OperatorTable } from '../types.ts';

export const contrib: OperatorTable = {
  /** y = x σ(αx): y′ = σ + α y (1 − σ). */
  'com.microsoft::QuickGelu': unary(({ g, node, x, y, dy, k }) => {
    const alpha = k(floatAttr(node, 'alpha', 1.702));
    const s = g.emit('Sigmoid', [g.mul(x, alpha)]);
    return g.mul(dy, g.add(s, g.mul(g.mul(y, alpha), g.sub(k(1), s))));
  }),
  'com.microsoft::Gelu': unary(geluGrad),
  /** Of x + bias. */
  'com.microsoft::BiasGelu': {
    shape: sameAsInput,
    grad: (ctx) => {
      const [x, bias] = ctx.inputs as [Value, Value];
      const dx = geluGrad({
        g: ctx.g,
        x: ctx.g.add(x, bias),
        dy: ctx.grads[0]!,
        k: (v) => scalarLike(ctx.g, v, x),
      });
      return [dx, dx];
    },
  },
  /** The tanh form, of x + bias. */
  'com.microsoft::FastGelu': {
    shape: sameAsInput,
    grad: (ctx) => {
      const [x, bias] = ctx.inputs;
      const sum = bias ? ctx.g.add(x!, bias) : x!;
      const dx = tanhGeluGrad({
        g: ctx.g,
        x: sum,
        dy: ctx.grads[0]!,
        k: (v) => scalarLike(ctx.g, v, x!),
      });
      return [dx, bias ? dx : null];
    },
  },
};
