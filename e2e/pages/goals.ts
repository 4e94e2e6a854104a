/** @file What each task's example must come to on data that it never saw, headless and in the page. */

interface Goal {
  /** As in run.json; null: the held-out loss alone is the measure. */
  readonly metric: string | null;
  readonly words: string;
  /** @param value of the metric: shares from 0 to 1 */
  readonly met: (value: number) => boolean;
  /** Held-out loss at the end over that at the start, at most. */
  readonly loss: number;
}

const atLeast = (metric: string, least: number): Omit<Goal, 'loss'> => ({
  metric,
  words: `${metric} of ${least} and more`,
  met: (value) => value >= least,
});
const below = (metric: string, most: number): Omit<Goal, 'loss'> => ({
  metric,
  words: `${metric} below ${most}`,
  met: (value) => value < most,
});

export const goals: Readonly<Record<string, Goal>> = {
  // In 40 steps of the demo's 120: the loss 0.248 → 0.18, the saturation of what it draws 0.21 → 0.04.
  diffusion: { ...below('saturation', 0.08), loss: 0.8 },
  'image-classification': { ...atLeast('accuracy', 0.8), loss: 0.5 },
  'text-classification': { ...atLeast('accuracy', 0.9), loss: 0.5 },
  language: { ...below('perplexity', 12), loss: 0.8 },
  pairs: { ...atLeast('PSNR', 25), loss: 0.8 },
  generic: { metric: null, words: 'a fifth off the loss', met: () => true, loss: 0.8 },
};
