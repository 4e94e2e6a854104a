/** @file Exponentials, logarithms, trigonometry and the error function. */
import { unary } from './pointwise.ts';
import type { Operator } from './types.ts';

export const Exp: Operator = unary(({ g, y, dy }) => g.mul(dy, y), { float: (a) => Math.exp(a) });
export const Log: Operator = unary(({ g, x, dy }) => g.div(dy, x), { float: (a) => Math.log(a) });

export const Sin: Operator = unary(({ g, x, dy }) => g.mul(dy, g.emit('Cos', [x])), {
  float: (a) => Math.sin(a),
});
export const Cos: Operator = unary(({ g, x, dy }) => g.neg(g.mul(dy, g.emit('Sin', [x]))), {
  float: (a) => Math.cos(a),
});
/** d tan x = 1 + tan² x. */
export const Tan: Operator = unary(({ g, y, dy, k }) => g.mul(dy, g.add(g.mul(y, y), k(1))), {
  float: (a) => Math.tan(a),
});

/** d tanh x = 1 − tanh² x. */
export const Tanh: Operator = unary(({ g, y, dy, k }) => g.mul(dy, g.sub(k(1), g.mul(y, y))), {
  float: (a) => Math.tanh(a),
});

/** d erf x = 2/√π · exp(−x²). */
export const Erf: Operator = unary(({ g, x, dy, k }) =>
  g.mul(dy, g.mul(g.exp(g.neg(g.mul(x, x))), k(2 / Math.sqrt(Math.PI)))),
);
