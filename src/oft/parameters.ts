/** @file One flat vector holds every trainable number: blocks by size over all layers, then rescales, then 1×1 blocks (which cannot turn). */
import type { PlannedLayer } from './types.ts';

/** All blocks of one size: a [count, size, size] tensor, cut into layers. */
export interface BlockGroup {
  readonly size: number;
  readonly count: number;
  readonly offset: number;
  /** In order; `first` is the index of the layer's first block in the group. */
  readonly layers: readonly { readonly index: number; readonly first: number }[];
}

export interface Layout {
  readonly planned: readonly PlannedLayer[];
  readonly groups: readonly BlockGroup[];
  /** Rescale vectors, by layer index. */
  readonly rescales: readonly { readonly index: number; readonly offset: number; readonly length: number }[];
  readonly rescaleOffset: number;
  readonly rescaleLength: number;
  /** Blocks of size 1: stored, as LyCORIS does, but always identity. */
  readonly inert: readonly { readonly index: number; readonly offset: number; readonly length: number }[];
  readonly size: number;
}

export interface LayerParameters {
  readonly layer: PlannedLayer;
  /** n·b·b, row-major: the full matrices B. */
  readonly blocks: Float32Array;
  readonly rescale?: Float32Array;
}

/** Where each layer's numbers lie in the flat vector. */
export function parameterLayout(planned: readonly PlannedLayer[]): Layout {
  const groups: BlockGroup[] = [];
  let offset = 0;
  for (const size of [...new Set(planned.map((p) => p.size))].filter((b) => b > 1).sort((a, b) => a - b)) {
    const layers: { index: number; first: number }[] = [];
    let count = 0;
    planned.forEach((p, index) => {
      if (p.size !== size) return;
      layers.push({ index, first: count });
      count += p.count;
    });
    groups.push({ size, count, offset, layers });
    offset += count * size * size;
  }
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
  const inert = segment(
    (p) => p.size === 1,
    (p) => p.count,
  );
  return { planned, groups, rescales, rescaleOffset, rescaleLength, inert, size: offset };
}

/** Zero blocks (R = I) and rescales of one: the untouched model. */
export function initialParameters(layout: Layout): Float32Array {
  const theta = new Float32Array(layout.size);
  for (const r of layout.rescales) theta.fill(1, r.offset, r.offset + r.length);
  return theta;
}

function ranges(layout: Layout, index: number): { blocks: [number, number]; rescale?: [number, number] } {
  const planned = layout.planned[index]!;
  const length = planned.count * planned.size * planned.size;
  const group = layout.groups.find((g) => g.size === planned.size);
  const start = group
    ? group.offset + group.layers.find((l) => l.index === index)!.first * planned.size ** 2
    : layout.inert.find((l) => l.index === index)!.offset;
  const scale = layout.rescales.find((r) => r.index === index);
  return {
    blocks: [start, start + length],
    ...(scale && { rescale: [scale.offset, scale.offset + scale.length] }),
  };
}

/** Each layer's blocks and rescale, copied out of the flat vector. */
export function readParameters(layout: Layout, theta: Float32Array): LayerParameters[] {
  return layout.planned.map((layer, index) => {
    const r = ranges(layout, index);
    return {
      layer,
      blocks: theta.slice(...r.blocks),
      ...(r.rescale && { rescale: theta.slice(...r.rescale) }),
    };
  });
}

/** The flat vector of given layers; those not given keep the untouched model's values. Lengths must fit. */
export function writeParameters(
  layout: Layout,
  given: ReadonlyMap<string, { readonly blocks: Float32Array; readonly rescale?: Float32Array }>,
): Float32Array {
  const theta = initialParameters(layout);
  layout.planned.forEach((p, index) => {
    const values = given.get(p.layer.path);
    if (!values) return;
    const r = ranges(layout, index);
    if (values.blocks.length !== r.blocks[1] - r.blocks[0])
      throw new RangeError(
        `${p.layer.path} takes ${r.blocks[1] - r.blocks[0]} block numbers, ${values.blocks.length} were given.`,
      );
    theta.set(values.blocks, r.blocks[0]);
    if (values.rescale && r.rescale) theta.set(values.rescale, r.rescale[0]);
  });
  return theta;
}

/**
 * Learning rate multiplier of every number: the rule's lr_scale and, if `blockwise`, 1/(2√(b−1)), which makes a step turn
 * blocks of every size alike (OneTrainer #1315). null where all are one.
 */
export function rateScales(layout: Layout, blockwise: boolean): Float32Array | null {
  const scales = new Float32Array(layout.size).fill(1);
  layout.planned.forEach((p, index) => {
    const r = ranges(layout, index);
    scales.fill(p.lrScale * (blockwise && p.size > 1 ? 1 / (2 * Math.sqrt(p.size - 1)) : 1), ...r.blocks);
    if (r.rescale) scales.fill(p.lrScale, ...r.rescale);
  });
  return scales.every((s) => s === 1) ? null : scales;
}
