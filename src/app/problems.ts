/** @file The one place that turns whatever was thrown into a Problem that the page can show. */
import type { Outcome, Problem } from '#workers/protocol.ts';

/** `safe` and `cure` are the caller's, who knows what was saved and what can be pressed. */
export function toProblem(cause: unknown, rest: Partial<Omit<Problem, 'detail'>> = {}): Problem {
  const message = cause instanceof Error ? cause.message : String(cause);
  return {
    code: 'internal',
    message: message || 'Something stopped without saying why.',
    ...rest,
    detail: cause instanceof Error ? `${cause.name}: ${cause.message}\n${cause.stack ?? ''}`.trim() : message,
  };
}

export function failed<T>(problem: Problem): Outcome<T> {
  return { ok: false, problem };
}
