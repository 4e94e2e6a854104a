/** @file From the flat parameter vector to each layer's rotation and rescale, as graph. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { cayley, cayleyNeumann, identity } from './cayley.ts';
import type { Layout } from './parameters.ts';
import { numbersPerBlock } from '../plan/planned.ts';
import { clampLayers, skewOf } from './skew.ts';

export interface LayerRotation {
  /** C of each stored block [stored blocks, b, b]: an ordinary value. */
  readonly rotation: Value | null;
  /** The same numbers, but its cotangent is to be given as S with ∂L/∂C = C·S (see insert.ts); null where C is not orthogonal. */
  readonly trivialised: Value | null;
  /** D [out]. */
  readonly rescale: Value | null;
}

export interface Rotations {
  /** By layer in plan order; all null: the layer stays as it is. */
  readonly layers: readonly LayerRotation[];
  /** The whole weights by the constant that each takes the place of, flat. */
  readonly whole: ReadonlyMap<string, Value>;
  /** Slices of the vector in order; gradients are taken with respect to them. */
  readonly segments: readonly Value[];
  /** Largest residual of the inverses, scalar; null without exact blocks. */
  readonly residual: Value | null;
}

export interface RotationOptions {
  /** Newton–Schulz rounds for blocks larger than 4. */
  readonly rounds: number;
  /** LyCORIS's multiplier s: sC + (1 − s)I. Not orthogonal unless 1, so only the other routes are open then. */
  readonly strength?: number;
  /** See dropout.ts. */
  readonly keep?: Value | null;
}

/** Emits Q, the clamps, dropout, and the Cayley transform of every group; `theta` is [layout.size]. */
export function emitRotations(
  g: Builder,
  layout: Layout,
  theta: Value,
  { rounds, strength = 1, keep = null }: RotationOptions,
): Rotations {
  const sizes = [
    ...layout.groups.map((group) => group.count * numbersPerBlock(group)),
    layout.rescaleLength,
    layout.inert.reduce((n, i) => n + i.length, 0),
    ...layout.whole.map((w) => w.length),
  ];
  const parts = g.split(
    theta,
    0,
    sizes.filter((n) => n > 0),
  );
  const kept = keep
    ? g.split(
        keep,
        0,
        [...layout.groups.map((group) => group.count), layout.rescales.length].filter((n) => n > 0),
      )
    : null;
  const segments: Value[] = [];
  const rotations = new Map<number, { rotation: Value; trivialised: Value | null }>();
  let residual: Value | null = null;
  layout.groups.forEach((group, place) => {
    const part = parts[segments.length]!;
    segments.push(part);
    let q = clampLayers(g, layout, group, skewOf(g, group, part));
    if (kept) q = g.mul(q, g.reshape(kept[place]!, [group.count, 1, 1]));
    let c: Value;
    if (group.neumannTerms !== null) c = cayleyNeumann(g, q, group.neumannTerms);
    else {
      const result = cayley(g, q, rounds);
      residual = residual ? g.emit('Max', [residual, result.residual]) : result.residual;
      c = result.rotation;
    }
    if (strength !== 1)
      c = g.add(g.mul(g.scalar(strength), c), g.mul(g.scalar(1 - strength), identity(g, group.size)));
    const counts = group.layers.map((l) => l.count);
    const plain = g.split(c, 0, counts);
    let translated: readonly Value[] | null = null;
    if (strength === 1 && group.neumannTerms === null)
      translated = g.split(
        g.composite('left translation', [c], g.emit('Identity', [c]), (s) => [g.matMul(c, s)]),
        0,
        counts,
      );
    group.layers.forEach((l, i) =>
      rotations.set(l.index, { rotation: plain[i]!, trivialised: translated?.[i] ?? null }),
    );
  });
  const scales = new Map<number, Value>();
  if (layout.rescaleLength > 0) {
    const part = parts[segments.length]!;
    segments.push(part);
    const one = g.scalar(1);
    const lengths = layout.rescales.map((r) => r.length);
    const owned = kept
      ? g.split(
          kept.at(-1)!,
          0,
          lengths.map(() => 1),
        )
      : null;
    g.split(part, 0, lengths).forEach((v, i) =>
      scales.set(layout.rescales[i]!.index, owned ? g.add(one, g.mul(owned[i]!, g.sub(v, one))) : v),
    );
  }
  if (layout.inert.length > 0) segments.push(parts[segments.length]!);
  const whole = new Map(layout.whole.map(({ name }, i) => [name, parts[segments.length + i]!]));
  segments.push(...whole.values());
  const layers = layout.planned.map((_, i) => ({
    rotation: rotations.get(i)?.rotation ?? null,
    trivialised: rotations.get(i)?.trivialised ?? null,
    rescale: scales.get(i) ?? null,
  }));
  return { layers, whole, segments, residual };
}
