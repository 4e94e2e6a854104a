/** @file From the flat parameter vector to each layer's rotation and rescale, as graph. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { cayley, identity } from './cayley.ts';
import type { BlockGroup, Layout } from './parameters.ts';

export interface LayerRotation {
  /** C [n, b, b]: an ordinary value. */
  readonly rotation: Value | null;
  /** The same numbers, but its cotangent is to be given as S with ∂L/∂C = C·S (see insert.ts). */
  readonly trivialised: Value | null;
  /** D [out]. */
  readonly rescale: Value | null;
}

export interface Rotations {
  /** By layer in plan order; all null: the layer stays as it is. */
  readonly layers: readonly LayerRotation[];
  /** Slices of the vector in order; gradients are taken with respect to them. */
  readonly segments: readonly Value[];
  /** Largest residual of the inverses, scalar; null without blocks. */
  readonly residual: Value | null;
}

export interface RotationOptions {
  /** Newton–Schulz rounds for blocks larger than 4. */
  readonly rounds: number;
  /** LyCORIS's multiplier s: sC + (1 − s)I. Not orthogonal unless 1, so only the weight route is open then. */
  readonly strength?: number;
}

/** Emits Q = B − Bᵀ, the constraint, and the Cayley transform of every group; `theta` is [layout.size]. */
export function emitRotations(
  g: Builder,
  layout: Layout,
  theta: Value,
  { rounds, strength = 1 }: RotationOptions,
): Rotations {
  const sizes = [
    ...layout.groups.map((b) => b.count * b.size ** 2),
    layout.rescaleLength,
    layout.inert.reduce((n, i) => n + i.length, 0),
  ];
  const kept = sizes.filter((n) => n > 0);
  const parts = g.split(theta, 0, kept);
  const segments: Value[] = [];
  const rotations = new Map<number, { rotation: Value; trivialised: Value | null }>();
  let residual: Value | null = null;
  for (const group of layout.groups) {
    const blocks = g.reshape(parts[segments.length]!, [group.count, group.size, group.size]);
    segments.push(parts[segments.length]!);
    const q = constrain(g, layout, group, g.sub(blocks, g.mT(blocks)));
    const result = cayley(g, q, rounds);
    residual = residual ? g.emit('Max', [residual, result.residual]) : result.residual;
    const c =
      strength === 1
        ? result.rotation
        : g.add(
            g.mul(g.scalar(strength), result.rotation),
            g.mul(g.scalar(1 - strength), identity(g, group.size)),
          );
    const trivial = g.composite('left translation', [c], g.emit('Identity', [c]), (s) => [g.matMul(c, s)]);
    const counts = group.layers.map((l) => layout.planned[l.index]!.count);
    const plain = g.split(c, 0, counts);
    const translated = strength === 1 ? g.split(trivial, 0, counts) : null;
    group.layers.forEach((l, i) =>
      rotations.set(l.index, { rotation: plain[i]!, trivialised: translated?.[i] ?? null }),
    );
  }
  const scales = new Map<number, Value>();
  if (layout.rescaleLength > 0) {
    const part = parts[segments.length]!;
    segments.push(part);
    g.split(
      part,
      0,
      layout.rescales.map((r) => r.length),
    ).forEach((v, i) => scales.set(layout.rescales[i]!.index, v));
  }
  if (segments.length < parts.length) segments.push(parts[segments.length]!);
  const layers = layout.planned.map((_, i) => ({
    rotation: rotations.get(i)?.rotation ?? null,
    trivialised: rotations.get(i)?.trivialised ?? null,
    rescale: scales.get(i) ?? null,
  }));
  return { layers, segments, residual };
}

/**
 * COFT as LyCORIS clamps it: with c = constraint·out and ‖Q‖ over the layer's whole Q, the factor c/(‖Q‖ + 1e-8) while
 * ‖Q‖ + 1e-8 > c. Differentiates through the norm, as LyCORIS does in eager mode.
 */
function constrain(g: Builder, layout: Layout, group: BlockGroup, q: Value): Value {
  const limits = group.layers.map(
    (l) => layout.planned[l.index]!.constraint * layout.planned[l.index]!.layer.out,
  );
  if (limits.every((c) => c === 0)) return q;
  const membership = new Float32Array(group.layers.length * group.count);
  group.layers.forEach((l, row) =>
    membership.fill(
      1,
      row * group.count + l.first,
      row * group.count + l.first + layout.planned[l.index]!.count,
    ),
  );
  const member = g.constant(tensor('float32', [group.layers.length, group.count], membership), 'member');
  const squares = g.reduceSum(g.mul(q, q), [1, 2], false);
  const perLayer = g.matMul(member, g.reshape(squares, [group.count, 1]));
  // The tiny term keeps √'s derivative finite at Q = 0; it is below float32's resolution of any norm that matters.
  const norm = g.add(g.sqrt(g.add(perLayer, g.scalar(1e-30))), g.scalar(1e-8));
  const limit = g.constant(
    tensor(
      'float32',
      [limits.length, 1],
      limits.map((c) => (c > 0 ? c : 3e38)),
    ),
    'limit',
  );
  const factor = g.where(g.emit('Greater', [norm, limit]), g.div(limit, norm), g.scalar(1));
  return g.mul(q, g.reshape(g.matMul(g.mT(member), factor), [group.count, 1, 1]));
}
