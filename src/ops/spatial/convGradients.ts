/** @file The pieces that the gradients of Conv and ConvTranspose share: each is the other's adjoint. */
import type { Builder } from '#src/graph/builder.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import { taps } from './unfold.ts';
import { type Axis, span, windowAttributes } from './window.ts';

const product = (dims: Shape): number => dims.reduce((n, d) => n * d, 1);

/** Exchanges the first two axes; free where one of them is 1. */
function swapLeading(g: Builder, v: Value): Value {
  const [n, c, ...rest] = v.shape as [number, number, ...number[]];
  return n === 1 || c === 1
    ? g.reshape(v, [c, n, ...rest])
    : g.transpose(v, [1, 0, ...rest.map((_, i) => i + 2)]);
}

/**
 * dW [O, C/group, k…] of a convolution from its input x [N, C, …] and its output's cotangent dy [N, O, …].
 *
 * The windows of x are laid out as columns over batch and positions, and one matrix product per group contracts them with dy. On wasm
 * this takes 1.0–1.4 forwards; the textbook form, a Conv whose kernel is dy itself, takes 2–16 (16 for 1×1 kernels).
 */
export function weightGradient(g: Builder, x: Value, dy: Value, axes: readonly Axis[], group: number): Value {
  const n = x.shape[0]!;
  const c = x.shape[1]! / group;
  const o = dy.shape[1]! / group;
  const positions = n * product(axes.map((a) => a.output));
  const kernel = axes.map((a) => a.kernel);
  const weight = [o * group, c, ...kernel];
  const rows = g.reshape(swapLeading(g, dy), [group, o, positions]);

  const patches = axes.every((a) => a.stride === a.kernel && a.dilation === 1 && a.begin === 0);
  if (patches && kernel.some((k) => k > 1)) {
    // Side-by-side patches are a Reshape and one Transpose: [N, C, P, k, Q, k] → [C, k, k, N, P, Q].
    const cropped = axes.reduce((v, a, i) => {
      const used = a.output * a.kernel;
      return used === a.input ? v : g.slice(v, [0], [used], [i + 2]);
    }, x);
    const split = g.reshape(cropped, [n, c * group, ...axes.flatMap((a) => [a.output, a.kernel])]);
    const columns = g.transpose(split, [
      1,
      ...axes.map((_, i) => 3 + 2 * i),
      0,
      ...axes.map((_, i) => 2 + 2 * i),
    ]);
    const flat = g.reshape(columns, [group, c * product(kernel), positions]);
    return g.reshape(contract(g, rows, flat), weight);
  }

  let columns = g.reshape(swapLeading(g, x), [group, c, n, ...x.shape.slice(2)]);
  axes.forEach((a, i) => {
    columns = g.concat(taps(g, columns, i + 3, a), 1);
  });
  const flat = g.reshape(columns, [group, product(kernel) * c, positions]);
  // Taps of the last axis vary slowest: [O, …, k₂, k₁, C] → [O, C, k₁, k₂, …].
  const rank = axes.length;
  const raw = g.reshape(contract(g, rows, flat), [o * group, ...[...kernel].reverse(), c]);
  const order = [0, rank + 1, ...axes.map((_, i) => rank - i)];
  return kernel.every((k) => k === 1) ? g.reshape(raw, weight) : g.transpose(raw, order);
}

/** Per group: rows [o, P] · columns [K, P]ᵀ. */
function contract(g: Builder, rows: Value, columns: Value): Value {
  const [group, o, p] = rows.shape as [number, number, number];
  const k = columns.shape[1]!;
  if (group > 1) return g.matMul(rows, g.mT(columns));
  return g.emit('Gemm', [g.reshape(rows, [o, p]), g.reshape(columns, [k, p])], { transB: 1 });
}

/**
 * dX of a Conv: ConvTranspose with the same weight. output_padding restores the inputs that no window reached at the end.
 * (On wasm it costs what the forward Conv costs, so no flipped copy of the weight is worth its memory.)
 */
export function inputGradient(g: Builder, dy: Value, w: Value, axes: readonly Axis[], group: number): Value {
  const missing = axes.map((a) => a.input + a.begin + a.end - (a.output - 1) * a.stride - span(a));
  return g.emit('ConvTranspose', [dy, w], {
    ...windowAttributes(axes),
    ...(missing.some((m) => m > 0) ? { output_padding: missing } : {}),
    ...(group === 1 ? {} : { group }),
  });
}

/** Sum over batch and positions, positions first: a single running sum over all of them loses digits in float32. */
export function channelSum(g: Builder, dy: Value): Value {
  const spatial = dy.shape.slice(2).map((_, i) => i + 2);
  return g.reduceSum(g.reduceSum(dy, spatial), [0]);
}
