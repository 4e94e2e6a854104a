/** @file Module and block dropout: which blocks a step turns. */
import { blockCount, type Layout } from './parameters.ts';

/** Feed of the training step, present if any layer has dropout: one number per stored block in the layout's order, then one per rescaled layer; 0 leaves it out. */
export const keepFeed = 'keep';

export const hasDropout = ({ planned }: Layout): boolean =>
  planned.some((p) => p.moduleDropout > 0 || p.rankDropout > 0);

/** Length of the feed. */
export const keepLength = (layout: Layout): number => blockCount(layout) + layout.rescales.length;

/**
 * Draws a step's `keep`. Module dropout (LyCORIS): with its probability the whole layer, rescale too, stays untouched. Rank dropout: each
 * block by itself becomes the identity (multiplicative dropout, BOFT 2311.06243 §4.3); LyCORIS 4.1.3 zeroes entries of R instead, which
 * changes the weight even at the start.
 *
 * @param random uniform numbers in [0, 1); asked in plan order, only where a probability is not 0.
 */
export function drawDropout(layout: Layout, random: () => number): Float32Array {
  const keep = new Float32Array(keepLength(layout)).fill(1);
  const place = new Map<number, { first: number; count: number }>();
  let offset = 0;
  for (const group of layout.groups) {
    for (const l of group.layers) place.set(l.index, { first: offset + l.first, count: l.count });
    offset += group.count;
  }
  const scale = new Map(layout.rescales.map((r, i) => [r.index, offset + i]));
  layout.planned.forEach((p, index) => {
    const dropped = p.moduleDropout > 0 && random() < p.moduleDropout;
    const at = place.get(index);
    for (let k = 0; at && k < at.count; k++)
      if (dropped || (p.rankDropout > 0 && random() < p.rankDropout)) keep[at.first + k] = 0;
    const s = scale.get(index);
    if (dropped && s !== undefined) keep[s] = 0;
  });
  return keep;
}
