/** @file Where a pattern is in a text. What a file brings is run with a bound on its steps. */
import { type BoundedRegex, type Steps, StepsSpent } from '#src/platform/regex/bounded.ts';
import { DataError } from '#src/tasks/files.ts';

/** Where each match begins and ends, as `matchAll` finds them, each when it is asked for. @throws DataError where that takes too long */
export type Finder = (text: string) => Iterable<readonly [from: number, to: number]>;

/** Steps that a pattern may take before it gets anywhere: a fraction of a second. */
const AT_ONCE = 5_000_000;
/** Steps that each character of a text is good for. Those of well-known tokenizers take 3 to 11. */
const EACH = 40;

const shorten = (source: string): string => (source.length > 60 ? `${source.slice(0, 60)}…` : source);

const tooLong = (name: string, text: string, why: string): DataError =>
  new DataError(
    `The tokenizer's regular expression ${shorten(name)} ${why} on the text “${text.slice(0, 40)}${text.length > 40 ? '…' : ''}” of ${text.length} characters. Nothing was changed. Use the tokenizer.json that belongs to the model, or shorter texts.`,
  );

/**
 * @param regex global, and known to take time linear in a text
 * @param name what to call it in messages
 */
export const natively = (regex: RegExp, name = regex.source): Finder =>
  function* (text) {
    try {
      for (const { 0: found, index } of text.matchAll(regex)) yield [index, index + found.length];
    } catch (error) {
      // The engine's memory for ways back: runs of ten millions of letters.
      if (!(error instanceof RangeError)) throw error;
      throw tooLong(name, text, 'needs more memory than there is');
    }
  };

/** @param name what to call it in messages */
export function countingSteps(regex: BoundedRegex, name: string): Finder {
  const steps: Steps = { left: AT_ONCE, each: EACH, most: AT_ONCE };
  return function* (text) {
    try {
      yield* regex.matches(text, steps);
    } catch (error) {
      if (!(error instanceof StepsSpent)) throw error;
      throw tooLong(name, text, 'takes too long');
    }
  };
}

/** A text with something else for each match. */
export function replaced(finder: Finder, text: string, content: string): string {
  let out = '';
  let done = 0;
  for (const [from, to] of finder(text)) {
    out += text.slice(done, from) + content;
    done = to;
    if (out.length > LONGEST && out.length > text.length)
      throw new DataError(
        `The tokenizer's replacement makes the text “${text.slice(0, 40)}…” longer than ${LONGEST / 1e6} million characters. Nothing was changed. Use the tokenizer.json that belongs to the model, or shorter texts.`,
      );
  }
  return out + text.slice(done);
}

/** Characters that a text may grow to: what is replaced in turn may double it each time. */
const LONGEST = 2_000_000;
