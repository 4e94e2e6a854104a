/** @file Plans and layers in a few words. */
import type { BlockChoice, Layer, Plan, PlannedLayer } from '#src/oft/types.ts';
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
