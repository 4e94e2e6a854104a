/** @file AdamW over one flat vector, as graph (Loshchilov & Hutter 1711.05101; torch.optim.AdamW's order of operations). */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { constantOf } from '#src/onnx/tensor.ts';

export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** Multiplies the learning rate of every number; null: all one. */
  readonly rateScales: Float32Array | null;
}

export interface AdamWInputs {
  readonly theta: Value;
  readonly m: Value;
  readonly v: Value;
  readonly gradient: Value;
  /** [1] each: learning rate, 1/(1 − β₁ᵗ), 1/√(1 − β₂ᵗ); the host computes them in float64. */
  readonly rate: Value;
  readonly correction1: Value;
  readonly correction2: Value;
}

/**
 * θ ← θ(1 − lr·λ); m ← m + (1 − β₁)(g − m); v ← β₂v + (1 − β₂)g²; θ ← θ − lr·c₁·m/(√v·c₂ + ε), c₁ = 1/(1 − β₁ᵗ), c₂ = 1/√(1 − β₂ᵗ).
 *
 * @returns the next θ, m and v, each of the vector's shape.
 */
export function adamW(
  g: Builder,
  input: AdamWInputs,
  options: AdamWOptions,
): { theta: Value; m: Value; v: Value } {
  const [beta1, beta2] = options.betas;
  const { theta, gradient } = input;
  const rate = options.rateScales
    ? g.mul(
        input.rate,
        g.initializer(
          g.fresh('rate_scales'),
          constantOf({ type: 'float32', shape: theta.shape, data: options.rateScales }),
        ),
      )
    : input.rate;
  const m = g.add(input.m, g.mul(g.scalar(1 - beta1), g.sub(gradient, input.m)));
  const v = g.add(g.mul(g.scalar(beta2), input.v), g.mul(g.scalar(1 - beta2), g.mul(gradient, gradient)));
  const decayed =
    options.weightDecay === 0
      ? theta
      : g.mul(theta, g.sub(g.scalar(1), g.mul(rate, g.scalar(options.weightDecay))));
  const denominator = g.add(g.mul(g.sqrt(v), input.correction2), g.scalar(options.eps));
  const step = g.div(g.mul(g.mul(rate, input.correction1), m), denominator);
  return { theta: g.sub(decayed, step), m, v };
}

/** The host's part for update t (1-based): the four numbers that the step graph takes as `schedule`. */
export function scheduleTensor(
  learningRate: number,
  betas: readonly [number, number],
  t: number,
  apply: boolean,
): Float32Array {
  return Float32Array.of(
    learningRate,
    1 / (1 - betas[0] ** t),
    1 / Math.sqrt(1 - betas[1] ** t),
    Number(apply),
  );
}
