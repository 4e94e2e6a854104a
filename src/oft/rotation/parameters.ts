/** @file One flat vector holds every trainable number: blocks by kind over all layers, then rescales, then 1×1 blocks (which cannot turn), then whole weights. */
import { blockNumbers, numbersPerBlock, storedBlocks } from '../plan/planned.ts';
import type { Parameters, PlannedLayer } from '../types.ts';

/** All blocks of one size, parametrisation and transform: a [count, numbers of one block] tensor, cut into layers. */
export interface BlockGroup {
  /** Names the group in feeds: "8" for full matrices of size 8 under the exact Cayley transform, else with the kind behind it. */
  readonly name: string;
  readonly size: number;
  readonly parameters: Parameters;
  readonly neumannTerms: number | null;
  /** Stored blocks. */
  readonly count: number;
  readonly offset: number;
  /** In order; `first` is the index of the layer's first block in the group, `count` how many it has. */
  readonly layers: readonly { readonly index: number; readonly first: number; readonly count: number }[];
}

export interface Layout {
  readonly planned: readonly PlannedLayer[];
  readonly groups: readonly BlockGroup[];
  /** Rescale vectors, by layer index. */
  readonly rescales: readonly { readonly index: number; readonly offset: number; readonly length: number }[];
  readonly rescaleOffset: number;
  readonly rescaleLength: number;
  /** Blocks of size 1: stored where LyCORIS stores them, but always identity. */
  readonly inert: readonly { readonly index: number; readonly offset: number; readonly length: number }[];
  /** Weights that are trained as they are (a new head), not by a rotation. */
  readonly whole: readonly (WholeWeight & { readonly offset: number; readonly length: number })[];
  readonly size: number;
}

/** A weight that is trained as it is. */
export interface WholeWeight {
  /** Of the constant in the graph. */
  readonly name: string;
  readonly shape: readonly number[];
}

export interface LayerParameters {
  readonly layer: PlannedLayer;
  /** Stored blocks one after another (BOFT: stage by stage): full matrices B row-major, or the numbers above the diagonal row by row. */
  readonly blocks: Float32Array;
  readonly rescale?: Float32Array;
}

const groupName = ({ size, parameters, neumannTerms }: PlannedLayer): string =>
  `${size}${parameters === 'triangle' ? '_triangle' : ''}${neumannTerms === null ? '' : `_${neumannTerms}terms`}`;

/** Where each layer's numbers lie in the flat vector. */
export function parameterLayout(
  planned: readonly PlannedLayer[],
  weights: readonly WholeWeight[] = [],
): Layout {
  const members = new Map<string, number[]>();
  planned.forEach((p, index) => {
    if (p.size === 1) return;
    const list = members.get(groupName(p));
    if (list) list.push(index);
    else members.set(groupName(p), [index]);
  });
  let offset = 0;
  const groups = [...members]
    .sort(([, a], [, b]) => planned[a[0]!]!.size - planned[b[0]!]!.size)
    .map(([name, indices]): BlockGroup => {
      const { size, parameters, neumannTerms } = planned[indices[0]!]!;
      let count = 0;
      const layers = indices.map((index) => {
        const own = storedBlocks(planned[index]!);
        count += own;
        return { index, first: count - own, count: own };
      });
      const group = { name, size, parameters, neumannTerms, count, offset, layers };
      offset += count * numbersPerBlock(group);
      return group;
    });
  const segment = (keep: (p: PlannedLayer) => boolean, length: (p: PlannedLayer) => number) =>
    planned.flatMap((p, index) => {
      if (!keep(p)) return [];
      const entry = { index, offset, length: length(p) };
      offset += entry.length;
      return [entry];
    });
  const rescaleOffset = offset;
  const rescales = segment(
    (p) => p.rescale,
    (p) => p.layer.out,
  );
  const rescaleLength = offset - rescaleOffset;
  const inert = segment((p) => p.size === 1 && blockNumbers(p) > 0, blockNumbers);
  const whole = weights.map(({ name, shape }) => {
    const length = shape.reduce((n, d) => n * d, 1);
    offset += length;
    return { name, shape, offset: offset - length, length };
  });
  return { planned, groups, rescales, rescaleOffset, rescaleLength, inert, whole, size: offset };
}

/** Stored blocks that can turn, over all layers. */
export const blockCount = (layout: Layout): number => layout.groups.reduce((n, group) => n + group.count, 0);

/**
 * Zero blocks (R = I) and rescales of one: the untouched model.
 * @param valueOf the values that a whole weight begins with; zeros without
 */
export function initialParameters(
  layout: Layout,
  valueOf?: (name: string) => ArrayLike<number>,
): Float32Array {
  const theta = new Float32Array(layout.size);
  for (const r of layout.rescales) theta.fill(1, r.offset, r.offset + r.length);
  if (valueOf) for (const w of layout.whole) theta.set(valueOf(w.name), w.offset);
  return theta;
}

type Range = readonly [number, number];
const rangesOf = new WeakMap<Layout, { blocks: Range; rescale?: Range }[]>();

/** Each layer's ranges in the flat vector. */
function ranges(layout: Layout): { blocks: Range; rescale?: Range }[] {
  const known = rangesOf.get(layout);
  if (known) return known;
  const made: { blocks: Range; rescale?: Range }[] = layout.planned.map(() => ({ blocks: [0, 0] }));
  for (const group of layout.groups)
    for (const l of group.layers) {
      const start = group.offset + l.first * numbersPerBlock(group);
      made[l.index]!.blocks = [start, start + l.count * numbersPerBlock(group)];
    }
  for (const l of layout.inert) made[l.index]!.blocks = [l.offset, l.offset + l.length];
  for (const r of layout.rescales) made[r.index]!.rescale = [r.offset, r.offset + r.length];
  rangesOf.set(layout, made);
  return made;
}

/** Each layer's blocks and rescale, copied out of the flat vector. */
export function readParameters(layout: Layout, theta: Float32Array): LayerParameters[] {
  return ranges(layout).map(({ blocks, rescale }, index) => ({
    layer: layout.planned[index]!,
    blocks: theta.slice(...blocks),
    ...(rescale && { rescale: theta.slice(...rescale) }),
  }));
}

/** A whole weight's values, in the order of its constant. */
export interface WholeValues extends WholeWeight {
  readonly data: Float32Array;
}

/** The whole weights, copied out of the flat vector. */
export const readWhole = (layout: Layout, theta: Float32Array): WholeValues[] =>
  layout.whole.map(({ name, shape, offset, length }) => ({
    name,
    shape,
    data: theta.slice(offset, offset + length),
  }));

/** The flat vector of given layers; those not given keep the untouched model's values. Lengths must fit. */
export function writeParameters(
  layout: Layout,
  given: ReadonlyMap<string, { readonly blocks: Float32Array; readonly rescale?: Float32Array }>,
  start: Float32Array = initialParameters(layout),
): Float32Array {
  const theta = start.slice();
  ranges(layout).forEach(({ blocks, rescale }, index) => {
    const { path } = layout.planned[index]!.layer;
    const values = given.get(path);
    if (!values) return;
    if (values.blocks.length !== blocks[1] - blocks[0])
      throw new RangeError(
        `${path} takes ${blocks[1] - blocks[0]} block numbers, ${values.blocks.length} were given.`,
      );
    theta.set(values.blocks, blocks[0]);
    if (values.rescale && rescale) theta.set(values.rescale, rescale[0]);
  });
  return theta;
}

/**
 * Learning rate multiplier of every number: the rule's lr_scale and, if `blockwise`, what makes a step turn blocks of every size
 * alike: 1/(2√(b−1)) for full matrices (OneTrainer #1315), of which a step moves Q twice, and 1/√(b−1) for triangles. null where all are one.
 */
export function rateScales(layout: Layout, blockwise: boolean): Float32Array | null {
  const scales = new Float32Array(layout.size).fill(1);
  ranges(layout).forEach(({ blocks, rescale }, index) => {
    const { lrScale, size, parameters } = layout.planned[index]!;
    const even = blockwise && size > 1 ? 1 / ((parameters === 'full' ? 2 : 1) * Math.sqrt(size - 1)) : 1;
    scales.fill(lrScale * even, ...blocks);
    if (rescale) scales.fill(lrScale, ...rescale);
  });
  return scales.every((s) => s === 1) ? null : scales;
}
