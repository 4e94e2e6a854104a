/** @file Notes of progress a few times a second: more would only keep the page busy. */

/** Milliseconds between two notes. */
const OFTEN = 100;

/** Passes a note on if the last one is old enough, or if it must not be missed. */
export function seldom<T>(tell: (note: T) => void): (note: T, always: boolean) => void {
  let last = -Infinity;
  return (note, always) => {
    const now = performance.now();
    if (!always && now - last < OFTEN) return;
    last = now;
    tell(note);
  };
}
