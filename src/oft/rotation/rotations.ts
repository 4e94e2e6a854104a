/** @file From the flat parameter vector to each layer's rotation and rescale, as graph. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { cayley, cayleyNeumann, identity } from './cayley.ts';
import { hasInverse } from './inverses.ts';
import type { BlockGroup, Layout } from './parameters.ts';
import { numbersPerBlock } from '../plan/planned.ts';
import { clampLayers, skewOf } from './skew.ts';

export interface LayerRotation {
  /** C of each stored block [stored blocks, b, b]: an ordinary value. */
  readonly rotation: Value | null;
  /** The same numbers, but its cotangent is to be given as S with ∂L/∂C = C·S (see insert.ts); null where C is not orthogonal. */
  readonly trivialised: Value | null;
  /** D [out]. */
  readonly rescale: Value | null;
  /** Takes a bias's part off S for all layers at once; null where S is not asked for. */
  readonly biased?: Biased | null;
}

/**
 * S = Σ_t u_t v_tᵀ of outputs u that contain a bias β which was not rotated is β ⊗ Σ_t v_t too large. Layer by layer that is three nodes; here the layers
 * of a group hand in β and Σ_t v_t alone.
 */
export interface Biased {
  /** [width], read by nobody. Its cotangent is to be given as Σ_t v_t. */
  readonly sums: Value;
  /** β [width], set where that cotangent is given. */
  bias: Value | null;
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
  /** M of each group that has one [count, b, b], by name: the next step's `last`. */
  readonly inverses: ReadonlyMap<string, Value>;
}

export interface RotationOptions {
  /** Newton–Schulz rounds for blocks larger than 4. */
  readonly rounds: number;
  /** LyCORIS's multiplier s: sC + (1 − s)I. Not orthogonal unless 1, so only the other routes are open then. */
  readonly strength?: number;
  /** See dropout.ts. */
  readonly keep?: Value | null;
  /** The last step's inverses, by group; a group without begins anew. */
  readonly last?: ReadonlyMap<string, Value>;
}

/** Emits Q, the clamps, dropout, and the Cayley transform of every group; `theta` is [layout.size]. */
export function emitRotations(
  g: Builder,
  layout: Layout,
  theta: Value,
  { rounds, strength = 1, keep = null, last }: RotationOptions,
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
  const rotations = new Map<number, Required<Pick<LayerRotation, 'rotation' | 'trivialised' | 'biased'>>>();
  const inverses = new Map<string, Value>();
  let residual: Value | null = null;
  layout.groups.forEach((group, place) => {
    const part = parts[segments.length]!;
    segments.push(part);
    const q = clampLayers(g, layout, group, skewOf(g, group, part));
    let c: Value;
    if (group.neumannTerms !== null) c = cayleyNeumann(g, q, group.neumannTerms);
    else {
      const result = cayley(g, q, rounds, last?.get(group.name));
      if (hasInverse(group)) inverses.set(group.name, result.inverse);
      residual = residual ? g.emit('Max', [residual, result.residual]) : result.residual;
      c = result.rotation;
    }
    if (kept) c = g.where(turns(g, kept[place]!), c, identity(g, group.size));
    if (strength !== 1)
      c = g.add(g.mul(g.scalar(strength), c), g.mul(g.scalar(1 - strength), identity(g, group.size)));
    const counts = group.layers.map((l) => l.count);
    const plain = g.split(c, 0, counts);
    let translated: readonly Value[] | null = null;
    let biased: readonly Biased[] | null = null;
    if (strength === 1 && group.neumannTerms === null) {
      translated = g.split(
        g.composite('left translation', [c], g.emit('Identity', [c]), (s) => [g.matMul(c, s)]),
        0,
        counts,
      );
      biased = biasShares(g, group, c);
    }
    group.layers.forEach((l, i) =>
      rotations.set(l.index, {
        rotation: plain[i]!,
        trivialised: translated?.[i] ?? null,
        biased: biased?.[i] ?? null,
      }),
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
    biased: rotations.get(i)?.biased ?? null,
    rescale: scales.get(i) ?? null,
  }));
  return { layers, whole, segments, residual, inverses };
}

/** Whether blocks turn, [count, 1, 1]. The others are left out behind the inverse, which follows Q from step to step. */
const turns = (g: Builder, kept: Value): Value =>
  g.emit('Greater', [g.reshape(kept, [kept.shape[0]!, 1, 1]), g.scalar(0.5)]);

/** By layer of the group, in order. C [stored blocks, b, b]. */
function biasShares(g: Builder, { count, size, layers }: BlockGroup, c: Value): readonly Biased[] {
  const shares: Biased[] = [];
  const zeros = (length: number): Value =>
    g.constant(tensor('float32', [length], new Float32Array(length)), 'zero');
  // What stands here forwards is never computed: only its cotangent is meant.
  const stand = g.reshape(g.slice(c, [0], [1], [1]), [count * size]);
  const all = g.composite('bias', [c], stand, (sums) => {
    const biases = shares.map(({ bias }, i) => bias ?? zeros(layers[i]!.count * size));
    const beta = g.reshape(g.neg(g.concat(biases, 0)), [count, size, 1]);
    return [g.matMul(c, g.mul(beta, g.reshape(sums, [count, 1, size])))];
  });
  const parts = g.split(
    all,
    0,
    layers.map((l) => l.count * size),
  );
  shares.push(...parts.map((sums) => ({ sums, bias: null })));
  return shares;
}
