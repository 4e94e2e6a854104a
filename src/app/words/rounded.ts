/** @file What it saves and costs to hold a model in fewer bits, in sentences. */
import type { RoundedBase } from '#workers/protocol.ts';
import { bytes, percent } from './format.ts';

/** What files are made of. */
export const FROM_FLOAT =
  'What you save is made of the model’s own weights, not of the rounded ones: a merged model is as exact as ever, and may answer a little otherwise than here.';

/** How many of the weights that stay are named. */
const NAMED = 3;

const middle = (sorted: readonly number[]): number => sorted[sorted.length >> 1]!;

/** Bytes before and after, and how far weights and outputs are off. */
export function roundedWords({ bits, before, after, weights, outputs }: RoundedBase): string {
  if (weights.length === 0) return `No weight is held in ${bits} bits.`;
  const errors = weights.map(({ error }) => error).sort((a, b) => a - b);
  const worst = percent(errors.at(-1)!);
  const one = weights.length === 1;
  const off = one
    ? `It is off by ${worst}`
    : `They are off by ${percent(middle(errors))}, the worst by ${worst}`;
  const shown =
    outputs === null
      ? `${off}; how far the model’s outputs are was not measured, since that would take the memory that is saved.`
      : `${off}; what the untouched model makes of the first batch by ${percent(outputs)}.`;
  const which = one ? 'A weight is' : `${weights.length} weights are`;
  return `${which} held in ${bits} bits: ${bytes(after)} instead of ${bytes(before)}. ${shown}`;
}

/** Which weights stay as they are, and why; '': none does. */
export function leftWords({ left }: Pick<RoundedBase, 'left'>): string {
  if (left.length === 0) return '';
  const named = left
    .slice(0, NAMED)
    .map(({ name, bytes: size, reason }) => `${name} (${bytes(size)}) ${reason}`);
  const rest = left.length - named.length;
  return `As they are stay: ${[...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ')}.`;
}
