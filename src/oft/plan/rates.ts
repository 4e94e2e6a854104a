/** @file The learning rate that a run has where nobody says one: by the kind of adapter, as a bench over models of all kinds found it. */
import type { LayerSettings } from '../types.ts';

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
 * A rate at which none of the models of the bench left its loss behind: it falls with √ of the blocks' side, as Adam moves each of a block's
 * numbers by about the rate, which turns a block of side b by about rate·√(b − 1).
 *
 * @param blockwise the rate is scaled by 1/(2·√(b − 1)) for each layer: then one fits all sides
 */
export function usualRate(settings: LayerSettings, blockwise = false): number {
  const side = Math.max(4, sideOf(settings));
  return rounded(blockwise ? BASE * 2 * Math.sqrt(3) : BASE * Math.sqrt(4 / side));
}
