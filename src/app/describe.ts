/** @file Plans and layers in a few words. */
import type { BlockChoice, Layer } from '#src/oft/types.ts';
import { plural } from './format.ts';

export function describeBlocks(blocks: BlockChoice): string {
  if ('dim' in blocks) return `dim ${blocks.dim}, as LyCORIS cuts it`;
  if ('count' in blocks) return `${plural(blocks.count, 'block')} a layer`;
  return `blocks of ${blocks.size}`;
}

/** "linear 96 → 768", "conv 3×3, 32 → 64". */
export function describeLayer({ kind, kernel, in: from, out }: Layer): string {
  return kind === 'linear' ? `linear ${from} → ${out}` : `conv ${kernel.join('×')}, ${from} → ${out}`;
}
