/** @file The Cayley rotation as graph: C = (I + Q)(I − Q)⁻¹ for all blocks of one size at once. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { tensor } from '#src/onnx/tensor.ts';

export interface CayleyResult {
  /** C, [n, b, b]. */
  readonly rotation: Value;
  /** max |I − (I − Q)M|, scalar: how exact the inverse is. */
  readonly residual: Value;
  /** M [n, b, b]. */
  readonly inverse: Value;
}

/** Blocks up to this size are inverted in closed form. */
export const CLOSED_FORM = 4;

/** The round in which an inverse that began at the last one is looked at. */
const GUARDED = 2;
/** Rounds that a block loses where its last inverse was of no use. */
export const LOST_ROUNDS = GUARDED - 1;

/** The b×b identity. */
export function identity(g: Builder, size: number): Value {
  return g.constant(
    tensor(
      'float32',
      [size, size],
      Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0)),
    ),
    'eye',
  );
}

/**
 * C of skew-symmetric Q [n, b, b], differentiable by one rule: with M = (I − Q)⁻¹ and G = ∂L/∂C, ∂L/∂Q = 2 Mᵀ G Mᵀ.
 *
 * b ≤ 4: the inverse in closed form. By Cayley–Hamilton Q⁴ + sQ² + p²I = 0 with s = ‖Q‖²_F/2 and p the Pfaffian (0 for b < 4), so
 * (I − Q²)⁻¹ = ((1 + s)I + Q²)/(1 + s + p²) and M = (I + Q)(I − Q²)⁻¹; p² = (s² − ‖Q²‖²_F/2)/2. One Newton round removes rounding.
 * b > 4: Newton–Schulz X ← X + X(I − AX), A = I − Q, from X₀ = Aᵀ/(1 + ‖Q‖²_F/2), which always converges (‖Q‖₂² ≤ ‖Q‖²_F/2); see `roundsFor`.
 *
 * Each round squares the error E = I − AX, so the inverse of a Q near by, whose E is small, takes two or three. Where it is not, E grows instead: in
 * its second round, by when E is E₀² (whose norm is much nearer to ‖E₀‖₂² than ‖E₀‖²_F is), a block with ‖E‖_F ≥ ½, or with an E that is not finite, begins
 * anew at X₀. What it then is short of, the residual tells.
 *
 * @param rounds Newton–Schulz rounds for b > 4
 * @param last inverses of a Q near by [n, b, b], to begin with; null: none
 */
export function cayley(g: Builder, q: Value, rounds: number, last: Value | null = null): CayleyResult {
  const b = q.shape[2]!;
  const eye = identity(g, b);
  const a = g.sub(eye, q);
  const one = g.scalar(1);
  const half = g.scalar(0.5);
  const s = g.mul(g.reduceSum(g.mul(q, q), [1, 2], true), half);
  // Aᵀ = I + Q.
  const anew = (): Value => g.div(g.add(eye, q), g.add(one, s));
  let m: Value;
  if (b <= CLOSED_FORM) {
    const q2 = g.matMul(q, q);
    const grown = g.add(one, s);
    const p2 =
      b === 4
        ? g.mul(g.sub(g.mul(s, s), g.mul(g.reduceSum(g.mul(q2, q2), [1, 2], true), half)), half)
        : undefined;
    const inner = g.div(g.add(g.mul(grown, eye), q2), p2 ? g.add(grown, p2) : grown);
    m = g.add(inner, g.matMul(q, inner));
  } else m = last ?? anew();
  let error = g.sub(eye, g.matMul(a, m));
  const all = b <= CLOSED_FORM ? 1 : rounds;
  for (let i = 1; i <= all; i++) {
    m = g.add(m, g.matMul(m, error));
    if (last && i === Math.min(GUARDED, all)) {
      const squares = g.reduceSum(g.mul(error, error), [1, 2], true);
      m = g.where(g.emit('Greater', [g.scalar(0.25), squares]), m, anew());
    }
    error = g.sub(eye, g.matMul(a, m));
  }
  const rotation = g.composite('cayley', [q], g.sub(g.add(m, m), eye), (cotangent) => {
    const mt = g.mT(m);
    return [g.mul(g.scalar(2), g.matMul(mt, g.matMul(cotangent, mt)))];
  });
  const residual = g.emit('ReduceMax', [g.emit('Abs', [error])], { keepdims: 0 });
  return { rotation, residual, inverse: m };
}

/**
 * PEFT's Cayley–Neumann series with t terms: t ≤ 1: I; 2: I + 2Q; 3 and 4: I + 2Q + 2Q² + Q³; beyond: I + 2Q + … + 2Qᵗ⁻² + Qᵗ⁻¹ [run in
 * PEFT 0.21.2: 3 terms give what 4 do]. Orthogonal only as far as ‖Q‖ is small.
 */
export function cayleyNeumann(g: Builder, q: Value, terms: number): Value {
  const b = q.shape[2]!;
  const eye = identity(g, b);
  if (terms <= 1) return g.add(eye, g.mul(q, g.scalar(0)));
  if (terms === 2) return g.add(eye, g.mul(g.scalar(2), q));
  const twice = g.mul(g.scalar(2), eye);
  // Horner, from 2I + Q outward.
  let inner = g.add(twice, q);
  for (let power = Math.max(terms, 4) - 2; power > 1; power--) inner = g.add(twice, g.matMul(q, inner));
  return g.add(eye, g.matMul(q, inner));
}

/** Newton–Schulz rounds to float32 accuracy for the largest ‖Q‖₂ expected (measured for b = 4…64). */
export function roundsFor(norm: number): number {
  const table = [
    [0.25, 4],
    [0.8, 5],
    [1.6, 7],
    [3.6, 9],
    [7, 12],
    [23, 16],
    [100, 22],
  ] as const;
  return table.find(([limit]) => norm <= limit)?.[1] ?? 30;
}
