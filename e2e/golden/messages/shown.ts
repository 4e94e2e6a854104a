/** @file Whether what is refused is said as the page should say it: by one of our errors, in plain words, and with a way out. */
import { PlainError } from '#src/platform/refusals.ts';
import { ProblemError, problemOf } from '#workers/trainer/problems.ts';
import { fault, saysWayOut } from './plain.ts';

interface Shown {
  readonly message: string;
  readonly cure?: string | undefined;
}

/** What is wrong with a problem as it is shown; null: nothing. */
export function shownFault({ message, cure }: Shown): string | null {
  const [first, second] = [fault(message), cure === undefined ? null : fault(cure)];
  if (first !== null) return `${first}: ${message}`;
  if (second !== null) return `${second}: ${message} | ${cure}`;
  return cure !== undefined || saysWayOut(message) ? null : `no way out: ${message}`;
}

/** What is wrong with something that was thrown, as the worker's edge shows it; null: nothing. */
export const refusalFault = (thrown: unknown): string | null =>
  thrown instanceof PlainError || thrown instanceof ProblemError
    ? shownFault(problemOf(thrown))
    : thrown instanceof Error
      ? (thrown.stack ?? `${thrown.name}: ${thrown.message}`)
      : String(thrown);
