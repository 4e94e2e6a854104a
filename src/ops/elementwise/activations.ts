/** @file Activation functions. */
import type { Builder } from '#src/graph/builder.ts';
import { floatAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import { geluGrad, tanhGeluGrad } from './gelu.ts';
import { broadcastShapes, requiredInput, scalarLike } from '../entries/common.ts';
import { unary } from './pointwise.ts';
import type { Operator } from '../types.ts';

const greater = (g: Builder, a: Value, b: Value): Value => g.emit('Greater', [a, b]);
const less = (g: Builder, a: Value, b: Value): Value => g.emit('Less', [a, b]);
const sigmoid = (g: Builder, x: Value): Value => g.emit('Sigmoid', [x]);

/** σ′ = σ (1 − σ). */
export const Sigmoid: Operator = unary(({ g, y, dy, k }) => g.mul(g.mul(dy, y), g.sub(k(1), y)), {
  float: (a) => 1 / (1 + Math.exp(-a)),
});

export const Relu: Operator = unary(
  ({ g, x, dy, k }) => g.where(greater(g, x, k(0)), dy, k(0)),
  {
    float: (a) => Math.max(a, 0),
    int: (a) => (a > 0n ? a : 0n),
  },
  {
    lower: (g, _node, [x]) => (x!.type === 'int32' ? [g.emit('Max', [x!, scalarLike(g, 0, x!)])] : undefined),
  },
);

export const LeakyRelu: Operator = unary(({ g, node, x, dy, k }) =>
  g.where(greater(g, x, k(0)), dy, g.mul(dy, k(floatAttr(node, 'alpha', 0.01)))),
);

export const PRelu: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    broadcastShapes(ctx.node, [x.shape, requiredInput(ctx, 1).shape]);
    return [{ type: x.type, shape: x.shape }];
  },
  grad: ({ g, inputs: [x, slope], grads: [dy], wants }) => {
    const zero = scalarLike(g, 0, x!);
    const positive = greater(g, x!, zero);
    return [
      wants[0] ? g.where(positive, dy!, g.mul(dy!, slope!)) : null,
      wants[1] ? g.where(positive, zero, g.mul(dy!, x!)) : null,
    ];
  },
};

/** y = α (eˣ − 1) below 0, where the slope is y + α. */
export const Elu: Operator = unary(({ g, node, x, y, dy, k }) =>
  g.where(greater(g, x, k(0)), dy, g.mul(dy, g.add(y, k(floatAttr(node, 'alpha', 1))))),
);

const seluDefaults = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

/** y = γ·elu(x; α). */
export const Selu: Operator = unary(
  ({ g, node, x, y, dy, k }) => {
    const alpha = floatAttr(node, 'alpha', seluDefaults.alpha);
    const gamma = floatAttr(node, 'gamma', seluDefaults.gamma);
    return g.where(greater(g, x, k(0)), g.mul(dy, k(gamma)), g.mul(dy, g.add(y, k(gamma * alpha))));
  },
  undefined,
  {
    webgpu: () => false,
    lower: (g, node, [x]) => [
      g.mul(
        g.emit('Elu', [x!], {
          alpha: { kind: 'float', value: floatAttr(node, 'alpha', seluDefaults.alpha) },
        }),
        scalarLike(g, floatAttr(node, 'gamma', seluDefaults.gamma), x!),
      ),
    ],
  },
);

/** y = α·elu(x/α; 1); the slope below 0 is y/α + 1. */
export const Celu: Operator = unary(
  ({ g, node, x, y, dy, k }) =>
    g.where(greater(g, x, k(0)), dy, g.mul(dy, g.add(g.mul(y, k(1 / floatAttr(node, 'alpha', 1))), k(1)))),
  undefined,
  {
    webgpu: () => false,
    lower: (g, node, [x]) => {
      const alpha = floatAttr(node, 'alpha', 1);
      if (alpha === 1) return [g.emit('Elu', [x!])];
      return [g.mul(g.emit('Elu', [g.mul(x!, scalarLike(g, 1 / alpha, x!))]), scalarLike(g, alpha, x!))];
    },
  },
);

export const Softplus: Operator = unary(({ g, x, dy }) => g.mul(dy, sigmoid(g, x)));

/** y = x / (1 + |x|), y′ = (1 + |x|)⁻². */
export const Softsign: Operator = unary(
  ({ g, x, dy, k }) => {
    const d = g.add(g.emit('Abs', [x]), k(1));
    return g.div(dy, g.mul(d, d));
  },
  undefined,
  {
    webgpu: () => false,
    lower: (g, _node, [x]) => [g.div(x!, g.add(g.emit('Abs', [x!]), scalarLike(g, 1, x!)))],
  },
);

/** y = clip(αx + β, 0, 1). */
export const HardSigmoid: Operator = unary(
  ({ g, node, y, dy, k }) => {
    const inside = g.emit('And', [greater(g, y, k(0)), less(g, y, k(1))]);
    return g.where(inside, g.mul(dy, k(floatAttr(node, 'alpha', 0.2))), k(0));
  },
  undefined,
  {
    webgpu: () => false,
    lower: (g, node, [x]) => {
      const k = (v: number): Value => scalarLike(g, v, x!);
      const line = g.add(g.mul(x!, k(floatAttr(node, 'alpha', 0.2))), k(floatAttr(node, 'beta', 0.5)));
      return [g.emit('Clip', [line, k(0), k(1)])];
    },
  },
);

/** y = x·clip(x/6 + ½, 0, 1): slope 0 below −3, x/3 + ½ between, 1 above 3. */
export const HardSwish: Operator = unary(({ g, x, dy, k }) => {
  const middle = g.mul(dy, g.add(g.mul(x, k(1 / 3)), k(0.5)));
  return g.where(greater(g, x, k(-3)), g.where(less(g, x, k(3)), middle, dy), k(0));
});

/** y = x·t with t = tanh(softplus x): y′ = t + x (1 − t²) σ(x). */
export const Mish: Operator = unary(({ g, x, dy, k }) => {
  const t = g.emit('Tanh', [g.emit('Softplus', [x])]);
  const slope = g.mul(g.mul(x, g.sub(k(1), g.mul(t, t))), sigmoid(g, x));
  return g.mul(dy, g.add(t, slope));
});

/** x Φ(x), or its tanh form. */
export const Gelu: Operator = unary((u) =>
  stringAttr(u.node, 'approximate', 'none') === 'tanh' ? tanhGeluGrad(u) : geluGrad(u),
);

/** y = x above α, else 0. */
export const ThresholdedRelu: Operator = unary(({ g, node, x, dy, k }) =>
  g.where(greater(g, x, k(floatAttr(node, 'alpha', 1))), dy, k(0)),
);

/** y = x + bias below −λ, x − bias above λ, 0 between. */
export const Shrink: Operator = unary(
  ({ g, node, x, dy, k }) =>
    g.where(greater(g, g.emit('Abs', [x]), k(floatAttr(node, 'lambd', 0.5))), dy, k(0)),
  undefined,
  {
    webgpu: () => false,
    lower: (g, node, [x]) => {
      const k = (v: number): Value => scalarLike(g, v, x!);
      const [lambda, bias] = [floatAttr(node, 'lambd', 0.5), floatAttr(node, 'bias', 0)];
      const below = g.where(less(g, x!, k(-lambda)), bias === 0 ? x! : g.add(x!, k(bias)), k(0));
      return [g.where(greater(g, x!, k(lambda)), bias === 0 ? x! : g.sub(x!, k(bias)), below)];
    },
  },
);

/** Opset 24's x·σ(αx), which no kernel of opset 21 computes. */
export const Swish: Operator = {
  shape: (ctx) => {
    const { type, shape } = requiredInput(ctx, 0);
    return [{ type, shape }];
  },
  expand: (g, node, [x]) => {
    const alpha = floatAttr(node, 'alpha', 1);
    return [g.mul(x!, sigmoid(g, alpha === 1 ? x! : g.mul(x!, scalarLike(g, alpha, x!))))];
  },
};
