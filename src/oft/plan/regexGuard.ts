/** @file Which regular expressions rules may have: plans travel in links, so none may make a page hang. */
import { Reason } from '#src/platform/refusals.ts';
import { BoundedRegex } from '#src/platform/regex/bounded.ts';

/** Longest expression, in characters: LyCORIS's lists of module classes as one expression take about half. */
export const LONGEST_REGEX = 2000;

export interface RegexComplaint {
  readonly reason: string;
  readonly cure: string;
}

/** A rule's expression, or why it is refused. */
export function ruleRegex(source: string): BoundedRegex | RegexComplaint {
  if (source.length > LONGEST_REGEX)
    return {
      reason: `has ${source.length} characters.`,
      cure: `Keep it within ${LONGEST_REGEX}, or split it into several rules.`,
    };
  try {
    return new BoundedRegex(source);
  } catch (error) {
    if (!(error instanceof Reason)) throw error;
    return {
      reason: `${error.message}.`,
      cure: `${(error.cure ?? 'Write it another way.').replace(/\.$/, '')}, or use a glob in name.`,
    };
  }
}

/** Why an expression is refused; null: it is not. Whatever is taken is matched in time linear in a path's length, up to a limit. */
export function regexComplaint(source: string): RegexComplaint | null {
  const read = ruleRegex(source);
  return read instanceof BoundedRegex ? null : read;
}
