/** @file The one place that turns whatever was thrown into a Problem that the page can show. */
import { inFull, PlainError, withCure } from '#src/platform/refusals.ts';
import type { Outcome, Problem } from '#workers/protocol.ts';

/** What is shown of an error: its words, where they were written for people. */
export const shownWords = (cause: unknown): string =>
  cause instanceof PlainError ? inFull(cause) : unforeseen.message;

const unforeseen = {
  message: 'Something went wrong in Rotune itself; it is no mistake of yours.',
  cure: 'Try again. If it happens again, report it with the details below.',
};

/** `safe` and `cure` are the caller's, who knows what was saved and what can be pressed; an error's own way out goes before the caller's. */
export function toProblem(cause: unknown, rest: Partial<Omit<Problem, 'detail'>> = {}): Problem {
  const detail =
    cause instanceof Error ? `${cause.name}: ${cause.message}\n${cause.stack ?? ''}`.trim() : String(cause);
  const own = cause instanceof PlainError && rest.message === undefined ? cause : null;
  return {
    code: 'internal',
    ...unforeseen,
    ...rest,
    ...(own && { message: own.message, ...withCure(own) }),
    detail,
  };
}

export function failed<T>(problem: Problem): Outcome<T> {
  return { ok: false, problem };
}
