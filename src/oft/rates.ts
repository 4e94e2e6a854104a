/** @file The learning rate that a run has where nobody says one: by the kind of adapter, as a bench over models of all kinds found it. */
import type { LayerSettings } from './types.ts';

/** AdamW's rate of blocks of side 4: `npm run bench -- rates`, see "Decisions by measurement" in ARCHITECTURE.md. */
const BASE = 2e-3;
/** Blocks whose side follows from a layer's width (a count, dim = -1, one per channel) are taken to be so large. */
const UNKNOWN = 64;

/** The side of most blocks, as far as the settings tell it. */
function sideOf({ blocks, algorithm }: LayerSettings): number {
  if (blocks.size !== undefined) return blocks.size;
  if (blocks.per !== undefined) return 9;
  if (blocks.dim === undefined || blocks.dim < 1) return UNKNOWN;
  // BOFT turns a number once in each of its stages.
  return algorithm === 'boft' ? 2 * blocks.dim : blocks.dim;
}

/** Two digits. */
const rounded = (x: number): number => Number(x.toPrecision(2));

/**
 * A rate at which none of the models of the bench left its loss behind.
 *
 * Adam moves every number of a block by about the rate in a step, so a block of side b turns by about rate·√(b − 1) to rate·b: the rate falls
 * with the side.
 */
export function usualRate(settings: LayerSettings): number {
  const side = Math.max(2, sideOf(settings));
  return rounded(Math.min(BASE, (BASE * 4) / side));
}
