/** @file Knocking at a door with bad input: whatever it refuses must be one of our errors, plain, and with a way out, as the page shows it. */
import { expect } from 'vitest';
import { PlainError } from '#src/platform/refusals.ts';
import { ProblemError, problemOf } from '#workers/trainer/problems.ts';
import { fault, saysWayOut } from './plain.ts';

interface Shown {
  readonly message: string;
  readonly cure?: string | undefined;
}

/** A problem as it is shown: plain, and with a way out. */
export function expectShown({ message, cure }: Shown, what: string): void {
  expect(fault(message), `${what}: ${message}`).toBeNull();
  if (cure !== undefined) expect(fault(cure), `${what}: ${message} | ${cure}`).toBeNull();
  expect(cure !== undefined || saysWayOut(message), `no way out, ${what}: ${message}`).toBe(true);
}

/** What was thrown, at the worker's edge. */
export function expectRefusal(thrown: unknown, what: string): void {
  const ours = thrown instanceof PlainError || thrown instanceof ProblemError;
  expect(
    ours,
    `${what}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
  ).toBe(true);
  expectShown(problemOf(thrown), what);
}

/** Whether it was refused; fails where that was not said as it must be. */
export function refuses(act: () => unknown, what: string): boolean {
  try {
    act();
    return false;
  } catch (error) {
    expectRefusal(error, what);
    return true;
  }
}

export async function refusesLater(act: () => Promise<unknown>, what: string): Promise<boolean> {
  try {
    await act();
    return false;
  } catch (error) {
    expectRefusal(error, what);
    return true;
  }
}
