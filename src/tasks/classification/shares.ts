/** @file The classes that a classifier finds likely, as shares. */
import type { Share } from '#src/tasks/types.ts';
import { softmax } from './metrics.ts';

/** Classes that are told of. */
const TOLD = 20;

/** The likeliest first. @param scores logits or log-probabilities, which softmax leaves as they are */
export function sharesOf(scores: ArrayLike<number>, names: readonly string[]): Share[] {
  return Array.from(softmax(scores), (share, i) => ({ name: names[i] ?? `class ${i}`, share }))
    .sort((a, b) => b.share - a.share)
    .slice(0, TOLD);
}
