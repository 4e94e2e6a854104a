/** @file Plans and layers in a few words. */
import type { BlockChoice, Layer, Plan, PlannedLayer } from '#src/oft/types.ts';
import { choiceKind } from '#src/oft/planned.ts';
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

/** Which loaders take an adapter of these layers only in part, or not at all. Empty: all treat it alike. */
export function loaderNotes(layers: readonly PlannedLayer[], plan: Pick<Plan, 'rescale'>): string[] {
  const notes: string[] = [];
  const wide = layers.filter(({ count, size }) => size > count);
  if (wide[0])
    notes.push(
      `LyCORIS's own loader takes no blocks larger than their number: ${plural(wide.length, 'layer')} of this file, such as ${wide[0].layer.path}, need its functional interface.`,
    );
  if (plan.rescale || layers.some(({ rescale }) => rescale))
    notes.push('ComfyUI reads the rescale factors but does not apply them.');
  return notes;
}
