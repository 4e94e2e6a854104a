/** @file When held-out data are judged on the way: at rows of samples, as often as it stays cheap beside the training. */
import type { Evaluation } from '../../protocol.ts';

/** A held-out item may cost four forward passes (noise levels), a trained one what two or three take: judging takes a fifth of the training's time at most. */
const COST = 8;

/**
 * Whether the row at `step` is judged by held-out data, too: once COST times as many examples were trained as are held out since the last
 * time. It follows from the job and the run's own record alone, so that a run that goes on judges where an uncut one does.
 * @param heldout items held out
 * @param perStep examples of a step
 */
export function judgesAt(
  step: number,
  evaluations: readonly Pick<Evaluation, 'step' | 'heldoutLoss'>[],
  heldout: number,
  perStep: number,
): boolean {
  if (heldout === 0) return false;
  const last = evaluations.reduce(
    (found, each) => (each.heldoutLoss !== null && each.step < step ? Math.max(found, each.step) : found),
    0,
  );
  return (step - last) * perStep >= COST * heldout;
}
