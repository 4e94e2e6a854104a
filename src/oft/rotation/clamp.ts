/** @file COFT's limits on ‖Q‖_F, by whose meaning the constraint has (see `Clamp`). */
import type { PlannedLayer } from '../types.ts';

/** Limit on the norm of the layer's whole Q; Infinity: none. */
export function layerLimit({ constraint, clamp, layer }: PlannedLayer): number {
  if (constraint <= 0) return Infinity;
  if (clamp === 'lycoris') return constraint * layer.out;
  return clamp === 'comfyui' ? constraint : Infinity;
}

/** Limit on the norm of each stored block's Q; Infinity: none. */
export function blockLimit({ constraint, clamp, count, size, share }: PlannedLayer): number {
  if (constraint <= 0) return Infinity;
  const n = share ? 1 : count;
  if (clamp === 'peft') return constraint / Math.sqrt(n);
  return clamp === 'paper' ? (constraint * size ** 2) / Math.sqrt(n) : Infinity;
}
