/** @file How many Newton–Schulz rounds the inverses of a training step need: by how far a step moves its blocks, and by what is left over as they turn. */
import { layerAngles } from '#src/oft/rotation/hostRotation.ts';
import { LOST_ROUNDS, roundsFor } from '#src/oft/rotation/cayley.ts';
import { inverseGroups } from '#src/oft/rotation/inverses.ts';
import { type Layout, rateScales, readParameters } from '#src/oft/rotation/parameters.ts';
import { numbersPerBlock } from '#src/oft/plan/planned.ts';

/** Rounds for inverses that begin near by. Two leave up to 4e-6 after a first step at the usual rates, three 2e-7 (measured, b = 8…64). */
export const FIRST_ROUNDS = 3;
/** From anywhere: enough for ‖Q‖₂ up to about 3.6. */
const ROUNDS_ANEW = 10 + LOST_ROUNDS;
const MOST_ROUNDS = 30;

/**
 * max |I − (I − Q)M| above which the rounds are looked at again. |CᵀC − I| is about four times as large (measured, b = 5…64), so this
 * keeps it below 1e-5; float32 itself leaves 1e-7 to 1e-6 while ‖Q‖₂ < 60.
 */
export const LARGEST_RESIDUAL = 2e-6;
/** Above this a residual is not rounding, whatever the norm says. */
export const UNCONVERGED = 1e-4;
/** Blocks turn on while the new step is in use: it is compiled for larger ones. */
const HEADROOM = 1.5;
/** Steps that begin with errors larger than this find the last inverse of no use now and then. */
const FAR = 0.4;

/** Rounds by which an error e, squared by each, is no larger than wanted; Infinity: it may not shrink. */
const roundsFrom = (e: number): number =>
  e < 0.9 ? Math.ceil(Math.log2(Math.log(LARGEST_RESIDUAL) / Math.log(e))) : Infinity;

/**
 * Rounds for the first steps. A step begins with the error ΔQ·M, and ‖M‖₂ ≤ 1. Adam moves each number by about the rate, a number of Q by twice that where
 * blocks are full matrices; ‖ΔQ‖₂ of b² numbers ±d is about 2d√b (Wigner), as the first steps bear out (b = 8…64).
 */
export function firstRounds(
  layout: Layout,
  { learningRate, blockwiseRate }: { readonly learningRate: number; readonly blockwiseRate: boolean },
): number {
  const scales = rateScales(layout, blockwiseRate);
  let start = 0;
  for (const group of inverseGroups(layout)) {
    const end = group.offset + group.count * numbersPerBlock(group);
    const scale = scales?.subarray(group.offset, end).reduce((a, b) => Math.max(a, b), 0) ?? 1;
    const moved = learningRate * scale * (group.parameters === 'full' ? 2 : 1);
    start = Math.max(start, 2 * moved * Math.sqrt(group.size));
  }
  return start > FAR ? ROUNDS_ANEW : Math.max(FIRST_ROUNDS, start > 0 ? roundsFrom(start) : 0);
}

/** ‖Q‖₂ of the largest block whose inverse takes rounds: exact ones beyond 4×4. */
export function largestNorm(layout: Layout, theta: Float32Array): number {
  let largest = 0;
  for (const { layer, blocks } of readParameters(layout, theta))
    if (layer.neumannTerms === null && layer.size > 4)
      largest = Math.max(largest, layerAngles(layer, blocks).largest);
  return Math.tan((largest * Math.PI) / 360);
}

/**
 * Rounds for the steps to come: as many as before while the residual is small or but rounding. Else as many as bring the error that such a residual began with,
 * its 2^rounds-th root, down; at most what suffices from anywhere.
 * @param norm asked only where the residual is large
 */
export function nextRounds(rounds: number, residual: number, norm: () => number): number {
  if (residual <= LARGEST_RESIDUAL || rounds >= MOST_ROUNDS) return rounds;
  const anew = roundsFor(HEADROOM * norm()) + LOST_ROUNDS;
  if (rounds >= anew) return residual > UNCONVERGED ? Math.min(MOST_ROUNDS, rounds + 4) : rounds;
  const near = roundsFrom(HEADROOM * residual ** (2 ** -rounds));
  return Math.min(MOST_ROUNDS, anew, Math.max(rounds + 1, near));
}
