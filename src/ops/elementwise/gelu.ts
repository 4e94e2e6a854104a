/** @file Derivatives of the GELU family. */
import type { Value } from '#src/graph/types.ts';
import type { Unary } from './pointwise.ts';

/** y = x Φ(x). With u = x/√2: y′ = ½ + ½ erf u + u e^(−u²)/√π. */
export function geluGrad({ g, x, dy, k }: Omit<Unary, 'node' | 'y'>): Value {
  const u = g.mul(x, k(Math.SQRT1_2));
  const bell = g.mul(g.mul(u, g.exp(g.neg(g.mul(u, u)))), k(2 / Math.sqrt(Math.PI)));
  const twice = g.add(g.add(g.emit('Erf', [u]), bell), k(1));
  return g.mul(dy, g.mul(twice, k(0.5)));
}

/** y = ½ x (1 + t), t = tanh(√(2/π)(x + c x³)): y′ = ½ (1 + t) + ½ x (1 − t²) √(2/π)(1 + 3c x²). */
export function tanhGeluGrad({ g, x, dy, k }: Omit<Unary, 'node' | 'y'>): Value {
  const c = 0.044715;
  const root = Math.sqrt(2 / Math.PI);
  const xx = g.mul(x, x);
  const t = g.emit('Tanh', [g.mul(x, g.add(g.mul(xx, k(root * c)), k(root)))]);
  const inner = g.mul(x, g.add(g.mul(xx, k(1.5 * root * c)), k(root / 2)));
  const slope = g.mul(inner, g.sub(k(1), g.mul(t, t)));
  return g.mul(dy, g.add(slope, g.add(g.mul(t, k(0.5)), k(0.5))));
}
