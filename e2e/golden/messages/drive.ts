/** @file Knocking at a door with bad input: whatever it refuses must be one of our errors, plain, and with a way out, as the page shows it. */
import { expect } from 'vitest';
import { refusalFault, shownFault } from './shown.ts';

/** A problem as it is shown: plain, and with a way out. */
export function expectShown(problem: Parameters<typeof shownFault>[0], what: string): void {
  expect(shownFault(problem), what).toBeNull();
}

/** What was thrown, at the worker's edge. */
export function expectRefusal(thrown: unknown, what: string): void {
  expect(refusalFault(thrown), what).toBeNull();
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
