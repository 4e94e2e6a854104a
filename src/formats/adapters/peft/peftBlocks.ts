/** @file PEFT's one number per adapter, and the blocks that it snaps to on each width. */
import type { PlannedLayer } from '#src/oft/types.ts';

/**
 * Block size (or count) that PEFT takes where `asked` was asked: the nearest divisor of the width, the lower on a tie, the whole
 * width from there on [ran: PEFT 0.21.2].
 */
export function snapped(asked: number, width: number): number {
  if (!(Number.isInteger(asked) && asked > 0 && Number.isInteger(width)))
    throw new RangeError(`${asked} on a width of ${width}: both must be whole numbers, 1 or more`);
  if (asked >= width) return width;
  let [lower, higher] = [asked, asked];
  while (width % higher !== 0) higher++;
  while (width % lower !== 0) lower--;
  return asked - lower <= higher - asked ? lower : higher;
}

/** The numbers that snap to divisor `d` of the width: [from, to], `to` possibly Infinity. */
function reach(d: number, width: number): readonly [number, number] {
  let [below, above] = [d - 1, d + 1];
  while (below > 0 && width % below !== 0) below--;
  while (above <= width && width % above !== 0) above++;
  const from = below === 0 ? 1 : Math.floor((below + d) / 2) + 1;
  return [from, d === width ? Infinity : Math.floor((d + above) / 2)];
}

/** The number that snaps right for all layers; that of most layers, if it does. undefined: there is none. */
function common(wanted: readonly (readonly [divisor: number, width: number])[]): number | undefined {
  let [from, to] = [1, Infinity];
  const votes = new Map<number, number>();
  for (const [d, width] of wanted) {
    const [a, b] = reach(d, width);
    [from, to] = [Math.max(from, a), Math.min(to, b)];
    votes.set(d, (votes.get(d) ?? 0) + 1);
  }
  if (from > to) return undefined;
  const liked = [...votes].sort(([, a], [, b]) => b - a).map(([d]) => d);
  return liked.find((d) => d >= from && d <= to) ?? from;
}

/** `oft_block_size` or `r` under which PEFT makes the plan's blocks of every layer; undefined: no such number. */
export function peftNumber(
  planned: readonly PlannedLayer[],
): { readonly oft_block_size: number; readonly r: number } | undefined {
  const size = common(planned.map((p) => [p.size, p.width]));
  if (size !== undefined) return { oft_block_size: size, r: 0 };
  const r = common(planned.map((p) => [p.count, p.width]));
  return r === undefined ? undefined : { oft_block_size: 0, r };
}
