/** @file Plans and layers in a few words. */
import type { BlockChoice, Layer } from '#src/oft/types.ts';
import { choiceKind } from '#src/oft/plan/planned.ts';
import { plural } from './format.ts';

export function describeBlocks(blocks: BlockChoice): string {
  const { dim, count = 1, size, share } = blocks;
  switch (choiceKind(blocks)) {
    case 'dim':
      return `dim ${dim}, as LyCORIS cuts it`;
    case 'count':
      return `${plural(count, 'block')} a layer`;
    case 'size':
      return `blocks of ${size}`;
    case 'per':
      return share ? 'one rotation shared by all channels' : 'one rotation a channel';
  }
}

/** "linear 96 → 768", "conv 3×3, 32 → 64". */
export function describeLayer({ kind, kernel, in: from, out }: Layer): string {
  return kind === 'linear' ? `linear ${from} → ${out}` : `conv ${kernel.join('×')}, ${from} → ${out}`;
}
