/** @file What stands beside a place of a text, without going through the whole text for it. */

const SPACE = /\p{White_Space}/u;

/** Rust's \w. */
export const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const ENDS_IN_WORD = new RegExp(`[${WORD}]$`, 'u');
const BEGINS_WITH_WORD = new RegExp(`^[${WORD}]`, 'u');

/** Where the spaces begin that end at a place. */
export function spacesBefore(text: string, at: number): number {
  let from = at;
  while (from > 0 && SPACE.test(text[from - 1]!)) from--;
  return from;
}

/** Where the spaces end that begin at a place. */
export function spacesAfter(text: string, at: number): number {
  let to = at;
  while (to < text.length && SPACE.test(text[to]!)) to++;
  return to;
}

// Two units hold any character.
export const wordBefore = (text: string, at: number): boolean =>
  ENDS_IN_WORD.test(text.slice(Math.max(0, at - 2), at));
export const wordAfter = (text: string, at: number): boolean => BEGINS_WITH_WORD.test(text.slice(at, at + 2));
