/** @file How many Newton–Schulz rounds the inverses of a training step need as its blocks turn further. */
import { layerAngles } from '#src/oft/rotation/hostRotation.ts';
import { roundsFor } from '#src/oft/rotation/cayley.ts';
import { type Layout, readParameters } from '#src/oft/rotation/parameters.ts';

/** Rounds at first: enough for ‖Q‖₂ up to about 3.6. */
export const FIRST_ROUNDS = 10;
const MOST_ROUNDS = 30;

/**
 * max |I − (I − Q)M| above which the rounds are looked at again. |CᵀC − I| is about four times as large (measured, b = 5…64), so this
 * keeps it below 1e-5; float32 itself leaves 1e-7 to 1e-6 while ‖Q‖₂ < 60.
 */
export const LARGEST_RESIDUAL = 2e-6;
/** Above this a residual is not rounding, whatever the norm says. */
const UNCONVERGED = 1e-4;
/** Blocks turn on while the new step is in use: it is compiled for larger ones. */
const HEADROOM = 1.5;

/** ‖Q‖₂ of the largest block whose inverse takes rounds: exact ones beyond 4×4. */
export function largestNorm(layout: Layout, theta: Float32Array): number {
  let largest = 0;
  for (const { layer, blocks } of readParameters(layout, theta))
    if (layer.neumannTerms === null && layer.size > 4)
      largest = Math.max(largest, layerAngles(layer, blocks).largest);
  return Math.tan((largest * Math.PI) / 360);
}

/**
 * Rounds for the steps to come: as many as before while the residual is small or but rounding.
 * @param norm asked only where the residual is large
 */
export function nextRounds(rounds: number, residual: number, norm: () => number): number {
  if (residual <= LARGEST_RESIDUAL || rounds >= MOST_ROUNDS) return rounds;
  const least = residual > UNCONVERGED ? rounds + 4 : rounds;
  return Math.min(MOST_ROUNDS, Math.max(least, roundsFor(HEADROOM * norm())));
}
