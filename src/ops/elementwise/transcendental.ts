/** @file Exponentials, logarithms, trigonometry and the error function. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { scalarLike } from '../entries/common.ts';
import { sameAsInput, type Unary, unary } from './pointwise.ts';
import type { Operator } from '../types.ts';

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

/** 1 − erf x: no operator of ONNX, but what tf2onnx writes for Keras's GELU. */
export const Erfc: Operator = {
  shape: sameAsInput,
  expand: (g, _node, [x]) => [g.sub(scalarLike(g, 1, x!), g.emit('Erf', [x!]))],
};

/** 1 − x². */
const oneLessSquare = (g: Builder, x: Value, k: Unary['k']): Value => g.sub(k(1), g.mul(x, x));

/** d asin x = (1 − x²)^−½. */
export const Asin: Operator = unary(({ g, x, dy, k }) => g.div(dy, g.sqrt(oneLessSquare(g, x, k))), {
  float: (a) => Math.asin(a),
});
export const Acos: Operator = unary(({ g, x, dy, k }) => g.neg(g.div(dy, g.sqrt(oneLessSquare(g, x, k)))), {
  float: (a) => Math.acos(a),
});
/** d atan x = 1/(1 + x²). */
export const Atan: Operator = unary(({ g, x, dy, k }) => g.div(dy, g.add(g.mul(x, x), k(1))), {
  float: (a) => Math.atan(a),
});

export const Sinh: Operator = unary(({ g, x, dy }) => g.mul(dy, g.emit('Cosh', [x])), {
  float: (a) => Math.sinh(a),
});
export const Cosh: Operator = unary(({ g, x, dy }) => g.mul(dy, g.emit('Sinh', [x])), {
  float: (a) => Math.cosh(a),
});

/** d asinh x = (x² + 1)^−½. */
export const Asinh: Operator = unary(({ g, x, dy, k }) => g.div(dy, g.sqrt(g.add(g.mul(x, x), k(1)))), {
  float: (a) => Math.asinh(a),
});
/** d acosh x = (x² − 1)^−½ for x > 1. */
export const Acosh: Operator = unary(({ g, x, dy, k }) => g.div(dy, g.sqrt(g.sub(g.mul(x, x), k(1)))), {
  float: (a) => Math.acosh(a),
});
/** d atanh x = 1/(1 − x²) for |x| < 1. */
export const Atanh: Operator = unary(({ g, x, dy, k }) => g.div(dy, oneLessSquare(g, x, k)), {
  float: (a) => Math.atanh(a),
});
